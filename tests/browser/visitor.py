"""A person at a browser: opens, writes, clicks; and every page they look at must be sound."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Frame, Locator, Page, Request, Response, expect

AXE = Axe()
# Shapes of pages that one of the visitors has examined closely, which takes a second each.
EXAMINED: set[str] = set()
PHONE, DESK = 360, 1280
HEIGHT = 740
# Numbers, ids and secrets in an address: the page is the same.
CHANGING = re.compile(r"(?<=/)(\d+|[0-9a-f-]{36}|[\w-]{32})(?=/)")

# The narrowest screens, and a phone whose owner reads with letters twice as large (WCAG 2.2, 1.4.4 and 1.4.10).
NARROW = 320
LARGE_LETTERS = "200%"
# WCAG 2.2, levels A and AA, as far as a machine can tell.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
OVERFLOW = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("main *, header *, footer *")]
    .filter((one) => one.getBoundingClientRect().right > room + 1 && !one.closest(".scroll, .desks"));
  return wide.slice(0, 2).map((one) => one.outerHTML.slice(0, 120));
}"""

# One heading, nothing wider than a phone, a name for everything that can be filled in or pressed.
FAULTS = """() => {
  const faults = [];
  const headings = document.querySelectorAll("h1").length;
  if (headings !== 1) faults.push(`${headings} headings of the first level`);
  const width = document.documentElement.scrollWidth;
  if (width > 360) faults.push(`${width} px wide on a phone of 360 px`);
  for (const control of document.querySelectorAll("input:not([type=hidden], [hidden]), select, textarea"))
    if (!control.labels.length && !control.ariaLabel) faults.push(`${control.name} has no label`);
  for (const button of document.querySelectorAll("button, summary"))
    if (!button.textContent.trim() && !button.ariaLabel) faults.push(`a ${button.localName} without words`);
  return faults;
}"""


@dataclass
class Visitor:
    """One person's browser, with what went wrong in it and the pages they came to and looked at."""

    page: Page
    site: str
    width: int
    name: str = ""
    has_scripts: bool = True
    problems: list[str] = field(default_factory=list)
    came_to: set[str] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.context.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("framenavigated", self._on_navigation)

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.netloc != urlsplit(self.site).netloc and address.scheme not in {"data", "blob"}:
            self.problems.append(f"{self.page.url} asked another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} {urlsplit(response.url).path}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # Chromium also writes a line for every refused request, which `_on_response` knows, and every lost one.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"{self.page.url}: {message.text}")

    def _on_navigation(self, frame: Frame) -> None:
        if frame.url.startswith(self.site):
            self.came_to.add(_shape(frame.url))

    def forgive(self, status: int) -> None:
        """A refusal with this status was what the step wanted to see: it must be there, and is no problem then."""
        wanted = next(problem for problem in self.problems if problem.startswith(f"{status} "))
        self.problems.remove(wanted)

    def open(self, address: str) -> None:
        """Go to an address of the site."""
        self.page.goto(address if address.startswith("http") else self.site + address)

    def arrive(self) -> None:
        """Wait until the page is whole and its scripts have run: of a page that has only begun to come, what stands
        further down would be said not to be there."""
        self.page.wait_for_load_state("domcontentloaded")

    def see(self, heading: str) -> None:
        """Wait for the page with this heading, and look at it."""
        expect(self.page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        self.look()

    def look(self) -> None:
        """Check the page as it is now, on a phone's width; a page seen for the first time with all that a machine can
        tell of whether everybody can use it."""
        self.arrive()
        shape = _shape(self.page.url)
        self.page.set_viewport_size({"width": PHONE, "height": HEIGHT})
        faults = self.page.evaluate(FAULTS)
        # Without scripts the page is the same, and there axe would wait for ever.
        if self.has_scripts and shape not in EXAMINED:
            faults += self.use() + self.squeeze()
            EXAMINED.add(shape)
        self.problems += [f"{self.page.url}: {fault}" for fault in faults]
        self.looked_at.add(shape)
        self.page.set_viewport_size({"width": self.width, "height": HEIGHT})

    def use(self) -> list[str]:
        """What breaks WCAG 2.2 AA."""
        found = AXE.run(self.page, options=RULES).response["violations"]
        return [f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['html'][:160]}" for rule in found]

    def squeeze(self) -> list[str]:
        """What runs out of a screen of 320 px, and of a phone with letters twice as large."""
        self.page.set_viewport_size({"width": NARROW, "height": HEIGHT})
        faults = [f"wider than {NARROW} px: {one}" for one in self.page.evaluate(OVERFLOW)]
        self.page.set_viewport_size({"width": PHONE, "height": HEIGHT})
        self.page.evaluate("size => document.documentElement.style.fontSize = size", LARGE_LETTERS)
        faults += [f"too wide with large letters: {one}" for one in self.page.evaluate(OVERFLOW)]
        self.page.evaluate("document.documentElement.style.fontSize = ''")
        return faults

    def read(self, *texts: str) -> None:
        """The person reads these words on the page."""
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible()

    def write(self, label: str, text: str, inside: Locator | None = None) -> None:
        """Fill in the field with this label."""
        (inside or self.page).get_by_label(label, exact=True).fill(text)

    def click(self, words: str, inside: Locator | None = None) -> None:
        """Press the link, button or fold with these words, in the page's own part; a page that it leads to is whole
        then."""
        place = inside or self.page.locator("main")
        named = [place.get_by_role(role, name=words, exact=True) for role in ("button", "link")]
        fold = place.locator("summary").get_by_text(words, exact=True)
        named[0].or_(named[1]).or_(fold).first.click()
        self.arrive()

    def picture(self, name: str) -> None:
        """Keep a picture of the whole page in the folder that SHOTS names, if it does."""
        if place := os.environ.get("SHOTS"):
            self.page.screenshot(path=f"{place}/{name}-{self.width}.png", full_page=True)

    def faults(self) -> list[str]:
        """What went wrong so far, and the pages that were come to and never looked at."""
        return self.problems + [f"never looked at {shape}" for shape in sorted(self.came_to - self.looked_at)]


def _shape(url: str) -> str:
    return CHANGING.sub("…", urlsplit(url).path)
