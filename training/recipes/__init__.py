"""PURE: one readable file per training method, and what they share.

No recipe asks the network, whoever starts it: the library that would is told so before it is imported.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
