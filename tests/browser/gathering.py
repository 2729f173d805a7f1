"""The first part of the walk: accounts, a community, its people, its text, and a project."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.conftest import PASSWORD

COMMUNITY = "Test community"
SLUG = "test-otomi"
PROJECT = "Test project"
DOCUMENTS = ("A", "B", "C")
SENTENCES = [(document, f"frase {number} del texto {document}") for document in DOCUMENTS for number in (1, 2, 3)]
# After them: a line with a column too many, one in Latin-1, one of a variety that nobody here has named.
UPLOAD = (
    "text\tdocument\tvariety\n" + "".join(f"{text}\tTexto {document}\tnorth\n" for document, text in SENTENCES)
).encode() + b"una\tA\tnorth\tm\xc3\xa1s\ncami\xf3n\tA\tnorth\notra frase\tA\tsouth\n"
CONSENT_TEXT = "How your words are used.\n\nAsk Aroha."


def sign_up(person: Visitor) -> None:
    """Make an account, on the page where the person is asked to."""
    person.see("Make an account")
    person.write("Username", person.name)
    person.write("Password", PASSWORD)
    person.write("Password (again)", PASSWORD)
    person.click("Make the account")


def sign_in(person: Visitor, address: str) -> None:
    """Go to an address that asks who one is, and say so."""
    person.open(address)
    person.see("Sign in")
    person.write("Username", person.name)
    person.write("Password", PASSWORD)
    person.click("Sign in")


def found_community(steward: Visitor) -> None:
    """A first account founds a community, and reads that speakers cannot start yet."""
    steward.open("/")
    steward.see("A fire to write your language by")
    steward.click("Make an account")
    sign_up(steward)
    steward.see(f"Hello, {steward.name}")
    steward.click("Found a community")
    steward.see("Found a community")
    steward.write("Name of the community", COMMUNITY)
    steward.write("Short name for addresses", SLUG)
    steward.write("Name of the language", "Otomí")
    steward.write("Language tag (BCP 47)", "ote")
    steward.write("ISO 639-3 code", "OTE")
    steward.write("Glottolog code", "mezq1235")
    steward.write("Varieties (optional)", "north Northern variety")
    steward.write("Letters that keyboards lack (optional)", "ä ñ ʼ ̱")
    steward.click("Found it")

    steward.read("Write the three small letters of ISO 639-3.")
    steward.forgive(422)
    steward.see("Found a community")
    steward.write("ISO 639-3 code", "ote")
    steward.click("Found it")
    steward.see("Stewardship")
    steward.read("Founded.", "Speakers cannot start yet.")


def publish_consent_text(steward: Visitor) -> None:
    """The steward writes what people read, and offers training."""
    steward.click("Write the consent text")
    steward.see("Consent text")
    steward.write("What people read before they choose", CONSENT_TEXT)
    steward.write(
        "Not checked in your language: why publish it all the same? (optional)", "Nobody here speaks it: made up."
    )
    steward.write("Countries where computers work with them (optional)", "MX")
    steward.page.get_by_label("Train language models, not for profit").check()
    steward.page.get_by_label("Measure with my words how good language models are").check()
    steward.click("Publish")
    steward.read("Version 1 is in force.", "A published text never changes")
    steward.look()


def invite(steward: Visitor, role: str, *people: Visitor) -> None:
    """The steward makes a link; whoever opens it makes an account and joins."""
    steward.open(f"/c/{SLUG}/steward/members/")
    steward.see("Members")
    form = steward.page.locator("section").filter(has_text="Invite by a link")
    form.get_by_label("Role").select_option(label=role)
    steward.write("How many people", str(len(people)), form)
    steward.click("Make a link")
    steward.read("Copy it now: it is shown only once.")
    steward.look()
    link = steward.page.locator(".notice .mono").inner_text()

    for person in people:
        person.open(link)
        person.see(f"You are invited to {COMMUNITY}")
        person.click("Make an account")
        sign_up(person)
        person.see(f"You are invited to {COMMUNITY}")
        person.read(f"You are signed in as {person.name}.")
        person.click("Join")
        person.read(f"Welcome to {COMMUNITY}.")
        person.look()


def give_role(steward: Visitor, role: str, person: Visitor) -> None:
    """The steward gives a role to an account that is there already."""
    steward.open(f"/c/{SLUG}/steward/members/")
    form = steward.page.locator("section").filter(has_text="Give a role to an account")
    steward.write("Username", person.name, form)
    form.get_by_label("Role").select_option(label=role)
    steward.click("Give it")
    steward.read(f"{person.name} is a member as {role}.")
    steward.look()


def bring_in_text(steward: Visitor) -> None:
    """A file with three bad lines: the good ones come in, and each bad one is named with its number."""
    steward.open(f"/c/{SLUG}/steward/")
    steward.click("Corpus")
    steward.see("Corpus")
    steward.read("Nothing to work on yet")
    file = {"name": "frases.tsv", "mimeType": "text/tab-separated-values", "buffer": UPLOAD}
    steward.page.get_by_label("File").set_input_files([file])  # type: ignore[list-item]
    steward.write("Title", "Frases")
    steward.write("Language of the sentences", "es")
    steward.write("Licence", "CC0")
    steward.click("Import")

    steward.see("frases.tsv")
    steward.read("9 sentences were added.")
    lines = steward.page.locator("table.data tbody tr")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_contain_text("Has 4 columns where the first line names 3.")
    expect(lines.nth(1)).to_contain_text("Not UTF-8 (byte 5).")
    expect(lines.nth(2)).to_contain_text("The variety south is not one of this community (north).")
    assert [line.locator("td").first.inner_text() for line in lines.all()] == ["11", "12", "13"]


def open_project(steward: Visitor) -> None:
    """The steward opens a project over the three documents."""
    steward.click("Open a project")
    steward.see("Open a project")
    steward.click("Translation")
    steward.see("Open a project: Translation")
    steward.write("Title", PROJECT)
    steward.write("Language of the documents", "Spanish")
    steward.click("Language of the answers, variety, orthography, time")
    steward.page.get_by_label("Orthography").select_option(label="First orthography")
    steward.write("Guidelines (optional)", "Write it as you would say it.")
    steward.click("Open it")
    steward.see(PROJECT)
    steward.read("The project is open: speakers find it on their desk.")
    expect(steward.page.locator(".numbers > div").first).to_have_text("sentences9")
