"""PURE: one readable file per training method, and what they share.

No recipe asks the network, whoever starts it: the library that would is told so before it is imported. Only `push` has
to, and only where HF_HUB_OFFLINE=0 says that it may.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
