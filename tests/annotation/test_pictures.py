"""Pictures to write about: small, without metadata, described, and shown to members alone."""

import io

import pytest
from PIL import Image

from annotation.corpora.models import Picture
from annotation.corpora.pictures import (
    MOST_BYTES,
    UnusablePicture,
    Upload,
    description_of,
    import_pictures,
    shrink,
)
from annotation.corpora.services import UnusableFile
from annotation.projects.services import lease_task, open_project
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
TERMS = {"prompt": "What do you see?", "title": "Pictures", "licence": "CC0", "language_tag": "en"}


def made(size=(1200, 800), kind="JPEG", noise=False, **options):
    picture = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size, "teal")
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def bring(community, person, *uploads, **changed):
    return import_pictures(
        community=community, imported_by=person, uploads=list(uploads), now=NOW, **{**TERMS, **changed}
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_small(kind):
    content, width, height = shrink(made(kind=kind))
    assert (width, height) == (640, 427)
    assert len(content) < MOST_BYTES
    assert Image.open(io.BytesIO(content)).format == "WEBP"


def test_even_a_restless_picture_keeps_to_the_bound():
    content, width, _ = shrink(made((2000, 1500), noise=True))
    assert len(content) <= MOST_BYTES
    assert width >= 200


def test_where_and_with_what_it_was_taken_is_left_out_and_it_stands_upright():
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x0112] = 6  # turned by a quarter
    content, width, height = shrink(made(exif=exif))
    assert width < height
    assert not dict(Image.open(io.BytesIO(content)).getexif())


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\nbroken", made()[:500]])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(UnusablePicture):
        shrink(content)


def test_a_picture_of_too_many_points_is_refused_before_it_is_opened():
    with pytest.raises(UnusablePicture, match="million points"):
        shrink(made((9000, 9000), kind="PNG"))


@pytest.mark.parametrize(
    ("name", "words"),
    [("market-in-the_morning.jpg", "market in the morning"), ("C:\\x\\two.words.png", "two words"), ("plain", "plain")],
)
def test_the_name_of_the_file_describes_it(name, words):
    assert description_of(name) == words


def test_each_picture_is_something_to_write_about(community, aroha, ben, consenting):
    consenting(ben)
    record = bring(
        community,
        aroha,
        Upload("a-river.jpg", made()),
        Upload("broken.png", b"no"),
        Upload("a-hill.png", made((50, 50), "PNG")),
    )
    assert (record.added, [row["line"] for row in record.problems]) == (2, [2])
    project = open_project(
        community=community,
        created_by=aroha,
        sources=community.sources.all(),
        now=NOW,
        title="Writing",
        kind="write",
        source_language_name="English",
        source_language_tag="en",
    )
    item = lease_task(project=project, person=ben, now=NOW).task.item
    assert item.text == "What do you see?"
    assert item.extra["picture"] == "a river"
    assert Picture.objects.filter(sha256=item.extra["picture_sha256"]).exists()


def test_the_same_picture_again_adds_nothing(community, aroha):
    assert [bring(community, aroha, Upload("a.jpg", made())).added for _ in range(2)] == [1, 0]
    with pytest.raises(Invalid, match="“CC0” before"):
        bring(community, aroha, Upload("b.jpg", made((40, 30))), licence="CC BY 4.0")
    assert Picture.objects.count() == 1


def test_without_one_usable_picture_it_says_why(community, aroha):
    with pytest.raises(UnusableFile, match="no picture that can be read"):
        bring(community, aroha, Upload("a.jpg", b"no"))
    with pytest.raises(Invalid, match="terms"):
        bring(community, aroha, Upload("a.jpg", made()), licence=" ")


def test_only_stewards_bring_them_in(community, ben, project):
    with pytest.raises(NotAllowed):
        bring(community, ben, Upload("a.jpg", made()))


def test_pages_show_it_with_its_description_to_members(client, community, aroha, ben, dana, consenting):
    client.force_login(aroha)
    files = [io.BytesIO(made()), io.BytesIO(made((80, 60)))]
    files[0].name, files[1].name = "a-river.jpg", "a-hill.jpg"
    page = client.post("/c/test-otomi/steward/corpus/pictures/", {"files": files, **TERMS}, follow=True)
    assert "2 pictures were added." in page.content.decode()
    assert 'alt="a river"' in client.get("/c/test-otomi/steward/corpus/pictures/").content.decode()
    address = f"/c/test-otomi/speak/picture/{Picture.objects.first().sha256}/"
    assert client.get(address)["Content-Type"] == "image/webp"
    client.force_login(dana)
    assert client.get(address).status_code == 404
    assert client.get(f"/api/v1/pictures/{Picture.objects.first().sha256}/").status_code == 404
    client.force_login(ben)


def test_no_file_is_refused_in_words(client, aroha, community):
    client.force_login(aroha)
    assert client.post("/c/test-otomi/steward/corpus/pictures/", TERMS).status_code == 422
