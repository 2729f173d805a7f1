"""What a run will take is said before it starts, what it took afterwards, and what all took where everybody looks."""

import pytest
from django.urls import reverse

from frontend.energy import ENERGY_SOURCES, region_name, spoken_energy, spoken_grams
from tests.frontend.made import make_adapter, make_release
from training.metering import power
from training.metering.foresight import recalled
from training.metering.grid import grid_of
from training.runs.models import Adapter, Run
from training.runs.services import queue_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(project, validated_corpus, esi):
    return make_release(project, esi)


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch):
    monkeypatch.setattr("frontend.researcher.views.runs.ring", lambda run: None)


def url(name, community, pk):
    return reverse(f"researcher:{name}", kwargs={"slug": community.slug, "pk": pk})


def words_of(response):
    return " ".join(response.content.decode().replace("\u00a0", " ").split())


def test_the_form_says_what_the_run_will_take_in_the_region(client, esi, community, release, settings):
    settings.TRAINING_GRID = grid_of("NZL")
    client.force_login(esi)
    text = words_of(client.get(url("start", community, release.pk)))
    assert "What this run will take" in text
    assert 'New Zealand: <bdi lang="en" dir="ltr">113 g/kWh: ' in text
    assert "Ember, in the table of CodeCarbon 3.3.2, 2023" in text
    assert "A rough guess" in text


def test_it_is_reckoned_again_for_other_settings_without_starting(client, esi, community, release):
    client.force_login(esi)
    page = url("start", community, release.pk)
    first = client.get(page)
    given = {name: first.context["form"][name].value() for name in first.context["form"].fields}
    again = client.post(page, {**given, "recipe-epochs": 99, "act": "reckon"})
    assert (again.status_code, Run.objects.count()) == (200, 0)
    assert 'value="99"' in again.text
    assert again.context["expected"]["told"].energy != first.context["expected"]["told"].energy
    wrong = client.post(page, {**given, "recipe-epochs": "", "act": "reckon"})
    assert wrong.status_code == 422

    client.post(page, {**given, "recipe-epochs": 99})
    expected = recalled(Run.objects.get().foretold)
    assert spoken_energy(expected.watt_hours.middle) == again.context["expected"]["told"].energy


def test_the_runs_page_sets_what_it_took_beside_what_was_expected(client, esi, community, release, now):
    run = queue_run(release=release, started_by=esi, now=now)
    client.force_login(esi)
    before = words_of(client.get(url("run", community, run.pk)))
    assert "Expected before it began" in before
    assert "What it took" not in before
    make_adapter(run)
    after = words_of(client.get(url("run", community, run.pk)))
    assert "Expected before it began" in after
    assert '<h3>What it took</h3> <p><strong>≈ <bdi dir="ltr">0.20 Wh</bdi></strong>' in after
    assert 'New Zealand: <bdi lang="en" dir="ltr">113 g/kWh: A table, 2023</bdi>' in after
    assert "estimated from processor time and the stated power" in after
    assert '<th scope="row">South Africa</th>' in after
    assert '<th scope="row">New Zealand</th>' not in after


def test_a_report_of_an_earlier_version_still_shows(client, esi, community, release, now):
    run = queue_run(release=release, started_by=esi, now=now)
    make_adapter(run)
    old = {"wh": 3.0, "watts": 65.0, "source": "stated power times seconds, not measured", "grams_co2": None}
    adapter = Adapter.objects.get()
    Adapter.objects.update(report={**adapter.report, "energy": old})
    Run.objects.update(foretold={})
    client.force_login(esi)
    text = words_of(client.get(url("run", community, run.pk)))
    assert '<bdi dir="ltr">3.00 Wh</bdi>' in text
    assert "stated power times seconds, not measured" in text
    Adapter.objects.update(report={key: value for key, value in adapter.report.items() if key != "energy"})
    assert "Electricity and carbon" not in words_of(client.get(url("run", community, run.pk)))


def test_everybody_reads_what_all_runs_took(client, ben, esi, community, release, now):
    make_adapter(queue_run(release=release, started_by=esi, now=now))
    client.force_login(ben)
    text = words_of(client.get(reverse("public:transparency", args=[community.slug])))
    assert '<bdi dir="ltr">0.20 Wh</bdi>' in text
    assert "New Zealand" in text
    assert "A table, 2023" in text
    assert "The same energy in other countries" in text


def test_figures_have_units_that_fit():
    assert [spoken_energy(amount).replace("\u00a0", " ") for amount in (0.078, 12.36, 150.0, 1_287_000_000.0)] == [
        "0.08 Wh",
        "12.4 Wh",
        "0.15 kWh",
        "1287000 kWh",
    ]
    grams = [spoken_grams(amount).replace("\u00a0", " ") for amount in (0.5, 999.0, 2500.0)]
    assert grams == ["0.50 g", "999 g", "2.50 kg"]


def test_regions_are_named_in_the_readers_language(settings):
    from django.utils.translation import override

    with override("ar"):
        assert region_name("NZL") == "نيوزيلندا"
    with override("es"):
        assert (region_name("WORLD"), region_name("europe-north2")) == ("Mundo", "europe-north2")


def test_every_source_of_a_figure_has_words():
    names = {power.ESTIMATED, power.RAPL, power.NVML, power.BOTH, power.UNKNOWN}
    assert names <= set(ENERGY_SOURCES)
