"""The second part of the walk: consent, translating, reviewing, deciding."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Locator, expect

from tests.browser.gathering import CONSENT_TEXT, PROJECT, SLUG
from tests.browser.visitor import Visitor

NEEDED = ["Show my words to members of this community", "Let other members check and correct my words"]
MEASURING = "Measure with my words how good language models are"
TRAINING = "Train language models, not for profit"
SEND = "Send, and show the next"


def answer_of(name: str, number: int) -> str:
    """What that person writes for their sentence with that number: made up, in no language."""
    return f"ñäʼ {name} {number}"


def agree(person: Visitor, way_in: str) -> None:
    """The desk asks before the first contribution, pre-chooses only what is needed, and gives a receipt."""
    person.open(f"/c/{SLUG}/speak/")
    person.see(f"Hello, {person.name}")
    person.page.get_by_role("link", name=way_in).click()
    person.see("What my words are used for")
    person.read("Before your first contribution, read how your words are used and choose.")
    person.read(CONSENT_TEXT.partition("\n")[0])
    ticked = person.page.locator("label:has([name=purposes]:checked) strong")
    expect(ticked).to_have_text(NEEDED)
    person.page.get_by_label(MEASURING).check()
    person.page.get_by_label(TRAINING).check()
    person.click("I have read it and agree to what is ticked")

    person.read("Saved. Below is your receipt.")
    receipt = person.page.locator("[aria-labelledby=receipt]")
    expect(receipt.locator("li")).to_contain_text([*NEEDED, MEASURING, TRAINING])
    person.click("Number and fingerprint")
    assert len(receipt.locator(".mono").nth(1).inner_text()) == 64
    person.look()
    person.click("Go on")


def field_of(person: Visitor) -> Locator:
    """The field for the translation."""
    return person.page.get_by_label("Your translation")


def source_of(person: Visitor) -> Locator:
    """The sentence on the page."""
    return person.page.locator(".sentence").first


def translate(person: Visitor, number: int) -> None:
    """Write the translation, send it, and see what comes next."""
    before = source_of(person).inner_text()
    field_of(person).fill(answer_of(person.name, number))
    person.click(SEND)
    person.read("Thank you. It is stored, and others will check it.")
    expect(person.page.get_by_text(before, exact=True)).to_have_count(0)
    person.look()


def write_with_the_row_of_letters(person: Visitor) -> None:
    """A key writes its letter where the caret is."""
    field_of(person).fill("ab")
    field_of(person).press("ArrowLeft")
    person.click("ʼ")
    expect(field_of(person)).to_have_value("aʼb")
    person.page.keyboard.type("x")
    expect(field_of(person)).to_have_value("aʼxb")


def skip_and_take_it_back(person: Visitor) -> None:
    """Skipping asks for a reason, the next sentence offers to undo it, and the text is still there afterwards."""
    skipped = source_of(person).inner_text()
    person.click("Skip this one")
    person.click("Skip it")
    person.read("Choose why you skip this sentence.")
    person.forgive(422)
    person.look()
    person.page.get_by_label("Too hard or too long").check()
    person.click("Skip it")
    person.read(f"Skipped: “{skipped}”")
    expect(source_of(person)).not_to_have_text(skipped)
    person.click("Undo")
    expect(source_of(person)).to_have_text(skipped)
    expect(field_of(person)).to_have_value("aʼxb")


def reload_send_and_edit(person: Visitor) -> None:
    """A reload keeps what was typed; letters typed in parts are stored as one (NFC)."""
    field_of(person).fill("n\u0303a\u0308ʼ ben one")
    person.read("Saved on this device.")
    person.page.reload()
    expect(field_of(person)).to_have_value("n\u0303a\u0308ʼ ben one")
    person.click(SEND)
    expect(source_of(person)).to_have_text("frase 2 del texto A")
    person.click("Edit the last one")
    person.see("Edit your answer")
    expect(field_of(person)).to_have_value("\u00f1\u00e4ʼ ben one")
    field_of(person).fill(answer_of("ben", 1))
    person.click("Store the new text")
    person.see("My words")
    person.read("Your new text is stored.", answer_of("ben", 1))
    expect(person.page.get_by_text("ben one")).to_have_count(0)
    person.page.go_back()
    person.page.go_back()


def send_twice_at_once(person: Visitor) -> None:
    """Two quick taps store one answer."""
    field_of(person).fill(answer_of("ben", 2))
    person.page.get_by_role("button", name=SEND).dblclick()
    expect(source_of(person)).to_have_text("frase 3 del texto A")


def send_without_a_connection(person: Visitor) -> None:
    """The text is kept while the network is away, and sent without another tap when it is back."""
    field_of(person).fill(answer_of("ben", 3))
    person.page.context.set_offline(True)
    person.click(SEND)
    person.read("No connection. Your text is saved on this device")
    expect(field_of(person)).to_have_value(answer_of("ben", 3))
    person.page.context.set_offline(False)
    expect(person.page.get_by_role("heading", name="Nothing waits for you here now")).to_be_visible(timeout=15_000)
    person.look()


def words_of(person: Visitor, count: int) -> None:
    """The list of one's own words holds so many."""
    person.open(f"/c/{SLUG}/speak/words/")
    person.see("My words")
    expect(person.page.locator("article.card")).to_have_count(count)


def review_all(person: Visitor, verdicts: Mapping[str, str]) -> list[str]:
    """Review until nothing waits: by the table, else "Good". Returns the wordings that were shown."""
    person.open(f"/c/{SLUG}/speak/")
    link = person.page.get_by_role("link", name="Review ")
    if not link.count():
        return []
    link.click()
    shown: list[str] = []
    wording = person.page.locator(".sentence.answered, .empty h2")
    while (text := wording.inner_text()) != "Nothing waits for your review":
        person.see(f"Review: {PROJECT}")
        shown.append(text)
        give(person, verdicts.get(text, "good"))
        expect(wording).not_to_have_text(text)
    person.see(PROJECT)
    return shown


def give(person: Visitor, verdict: str) -> None:
    """Give one verdict with the buttons of the page."""
    if verdict == "good":
        person.click("Good")
    elif verdict == "unsure":
        person.click("Not sure")
    elif verdict == "reject":
        person.click("Not acceptable")
        person.page.get_by_label("Spelling").check()
        person.click("Send: not acceptable")
    else:
        person.click("Correct it")
        person.page.get_by_label("Your translation").fill(verdict)
        person.click("Send my correction")


def reject_only_with_a_reason(person: Visitor) -> None:
    """A rejection without a reason is refused in words, and nothing is lost."""
    person.open(f"/c/{SLUG}/speak/")
    person.page.get_by_role("link", name="Review ").click()
    person.click("Add a word")
    person.page.get_by_label("A word to its author").fill("Too hasty.")
    person.click("Not acceptable")
    person.click("Send: not acceptable")
    expect(person.page.get_by_role("alert")).to_have_text("Choose what is wrong with it.")
    expect(person.page.get_by_label("A word to its author")).to_have_value("Too hasty.")
    person.forgive(422)


def decide(expert: Visitor, wording: str, reason: str) -> None:
    """The expert reads three verdicts and settles the dispute; a reason is asked for."""
    expert.open(f"/c/{SLUG}/")
    expert.see("Test community")
    expert.click("Decide what is disputed")
    expert.see("Decide")
    expert.read("1 waits for a decision", wording)
    expert.click("Read and decide")
    expert.see("Which wording is right?")
    expect(expert.page.locator("article .badge")).to_have_text(["Good as it is", "Not acceptable", "I am not sure"])
    expert.click("Take the ticked one")
    expert.read("Choose a reason, or write one.")
    expert.forgive(422)
    expert.look()
    expert.page.get_by_role("textbox", name="Or in your own words").fill(reason)
    expert.click("Take the ticked one")
    expert.see("Decide")
    expert.read("Decided. Everybody concerned can read your reason.", "Nothing is disputed", reason)
