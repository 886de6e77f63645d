"""The page in a real browser: silent, alone, whole at every width, and its switches switch."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.invented_sweep import invented_sweep

from bellglass.experiments.report import compare, versus, versus_page, write_report

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A headless Chromium with the report of an invented sweep open."""
    selenium = pytest.importorskip("selenium.webdriver", reason="the page tests need selenium")
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip(
            "the page tests need chromium and chromedriver (Debian: apt install chromium chromium-driver)"
        )
    folder = tmp_path_factory.mktemp("page")
    page = write_report(*invented_sweep(), folder).html
    options = selenium.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome: Chrome = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    try:
        chrome.get(page.as_uri())
        yield chrome
    finally:
        chrome.quit()


def run(browser: Chrome, script: str, *arguments: object) -> Any:
    """What a script says in the page."""
    return browser.execute_script(script, *arguments)


def command(browser: Chrome, name: str, **settings: object) -> None:
    """A command of the browser's own protocol."""
    browser.execute_cdp_cmd(name, settings)


def at_width(browser: Chrome, width: int) -> None:
    command(
        browser,
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )


def test_the_page_is_silent_and_asks_for_nothing(browser: Chrome) -> None:
    logs = browser.get_log("performance")  # type: ignore[no-untyped-call]  # selenium's own lack
    asked = [
        message["params"]["request"]["url"]
        for entry in logs
        if (message := json.loads(entry["message"])["message"])["method"] == "Network.requestWillBeSent"
    ]
    assert [
        url for url in asked if not url.startswith(("data:", "chrome:")) and "report.html" not in url
    ] == []
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]  # selenium's own lack


@pytest.mark.parametrize("width", [400, 600, 760, 1000, 1400])
def test_nothing_is_clipped(browser: Chrome, width: int) -> None:
    at_width(browser, width)
    assert run(browser, "return document.documentElement.scrollWidth <= innerWidth")
    beyond = """return [...document.querySelectorAll("main *")].filter(part => {
        const box = part.getBoundingClientRect();
        return box.width && box.right > innerWidth + 1 && !part.closest(".scroll, pre, svg");
    }).map(part => part.outerHTML.slice(0, 90))"""
    assert run(browser, beyond) == []
    hidden = """return [...document.querySelectorAll(".scroll")].filter(part =>
        part.scrollWidth > part.clientWidth + 1).map(part => part.getAttribute("aria-label"))"""
    assert run(browser, hidden) in ([], ["Probability of improvement"])


@pytest.mark.parametrize("width", [400, 1400])
def test_no_word_in_a_picture_is_cut_off_or_lies_on_another(browser: Chrome, width: int) -> None:
    at_width(browser, width)
    cut = """return [...document.querySelectorAll("main svg text")].filter(text => {
        const box = text.getBoundingClientRect(), frame = text.ownerSVGElement.getBoundingClientRect();
        return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
                             || box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
    }).map(text => text.outerHTML)"""
    assert run(browser, cut) == []
    overlap = """const found = [];
    for (const picture of document.querySelectorAll("main .maps svg, #cost svg, #seeds svg")) {
        const boxes = [...picture.querySelectorAll("text")].filter(text => text.textContent)
            .map(text => [text.textContent, text.getBoundingClientRect()]);
        boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
            const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
            const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
            if (wide > 2 && high > 0.35 * Math.min(p.height, q.height)) found.push([a, b]);
        }));
    }
    return found"""
    assert run(browser, overlap) == []


def test_an_agents_switch_hides_its_lines_dots_and_rows(browser: Chrome) -> None:
    at_width(browser, 1400)
    shown = (
        "return [...document.querySelectorAll('.a2')].filter(part => part.style.display !== 'none').length"
    )
    before = run(browser, shown)
    assert before > 10
    run(browser, "document.querySelectorAll('.legend input')[2].click()")
    assert run(browser, shown) == 0
    run(browser, "document.querySelectorAll('.legend input')[2].click()")
    assert run(browser, shown) == before


def test_the_theme_follows_the_reader_until_chosen(browser: Chrome) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    for scheme, colour in (("dark", "rgb(20, 23, 28)"), ("light", "rgb(255, 255, 255)")):
        command(
            browser,
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        until = time.monotonic() + 10
        while run(browser, ground) != colour and time.monotonic() < until:
            time.sleep(0.02)  # the browser tells the page a frame later
        assert run(browser, ground) == colour
    run(browser, "document.getElementById('theme').click()")
    assert run(browser, ground) == "rgb(20, 23, 28)"
    run(browser, "document.getElementById('theme').click()")


def test_charts_tell_exact_numbers_to_pointer_and_keyboard(browser: Chrome) -> None:
    run(
        browser,
        """const chart = document.querySelector("svg.chart"); chart.scrollIntoView(); chart.focus();
        chart.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}))""",
    )
    said = run(browser, "return document.getElementById('tip').innerText")
    assert "50,000 steps" in said
    assert "Planner" in said
    run(browser, "document.activeElement.blur()")
    assert run(browser, "return document.getElementById('tip').hidden")


MAP = """const pair = document.querySelector("[data-map]"), select = pair.querySelector("select"),
    slider = pair.querySelector("input[type=range]");
    select.value = arguments[0]; select.dispatchEvent(new Event("change"));
    slider.value = arguments[1]; slider.dispatchEvent(new Event("input"));
    return [pair.querySelector(".said").textContent, pair.querySelectorAll(".learned .wrong").length,
            pair.querySelectorAll(".learned .arrow").length, slider.getAttribute("aria-valuetext")]"""


def test_any_run_can_be_shown_at_any_time_on_the_map(browser: Chrome) -> None:
    data = run(browser, "return JSON.parse(document.getElementById('data').textContent).maps[0]")
    last = len(data["steps"]) - 1
    said, wrong, arrows, _ = run(browser, MAP, "0", last)
    assert said.startswith("Planner, seed ")
    assert wrong == 0
    assert arrows == 11  # 16 cells less 4 holes and the goal
    for choice, shown in enumerate(data["runs"]):
        for place, _, expected, _, _ in shown["m"]:
            said, wrong, arrows, spoken = run(browser, MAP, str(choice), place)
            assert wrong == expected
            assert arrows == 11
            assert spoken == f"{data['steps'][place]:,} steps"
            assert f"after {data['steps'][place]:,} steps" in said
            assert f", {expected} state" in said
    assert any(shown["m"][0][2] > shown["m"][-1][2] for shown in data["runs"])


def test_the_way_of_learning_can_be_played(browser: Chrome) -> None:
    run(browser, MAP, "0", 0)
    run(browser, "document.querySelector('.play').click()")
    last = run(browser, "return document.querySelector('[data-map] input[type=range]').max")
    until = time.monotonic() + 30
    place = "return document.querySelector('[data-map] input[type=range]').value"
    while run(browser, place) != last and time.monotonic() < until:
        time.sleep(0.05)
    assert run(browser, place) == last
    assert run(browser, "return document.querySelector('.play').textContent") == "▶"


def test_a_switch_chooses_the_kind_of_regret(browser: Chrome) -> None:
    shown = """return [...document.querySelectorAll("#regret [data-choice]")].filter(part => !part.hidden)
        .map(part => part.dataset.choice)"""
    assert run(browser, shown) == ["g"]
    run(browser, "document.querySelector('.switch input[value=e]').click()")
    assert run(browser, shown) == ["e"]
    run(browser, "document.querySelector('.switch input[value=g]').click()")


KEY = """const host = document.querySelector(arguments[0]); host.scrollIntoView({block: "center"}); host.focus();
    for (const key of arguments[1]) host.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    const tip = document.getElementById("tip");
    return tip.hidden ? "" : tip.innerText"""


@pytest.mark.parametrize(
    ("host", "keys", "said"),
    [
        ("#seeds svg", ["Home"], "seed "),
        ("#sure [data-stops]", ["Home", "ArrowRight"], "95 % interval"),
        ("#cost svg", ["End"], "score"),
        ("#learned .maps svg", ["Home"], "q*(left)"),
        ("#learned .learned", ["Home", "ArrowRight"], "regret from here"),
    ],
)
def test_arrow_keys_read_every_number(browser: Chrome, host: str, keys: list[str], said: str) -> None:
    assert said in run(browser, KEY, host, keys)
    assert run(browser, "return document.querySelectorAll('.here').length") == 1
    assert run(browser, KEY, host, ["Escape"]) == ""


def test_arrow_down_goes_to_the_cell_below(browser: Chrome) -> None:
    below = run(browser, KEY, "#learned .maps svg", ["Home", "ArrowDown"])
    assert "((1, 0))" in below


def test_the_tab_key_reaches_all_that_reacts_in_the_order_of_the_page(browser: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    wanted = run(
        browser,
        """let number = 0; const parts = [...document.querySelectorAll(
            "a[href], button:not(:disabled), input:not(:disabled), select, summary, [tabindex='0']")]
            .filter(part => part.checkVisibility() && !(part.type === "radio" && !part.checked));
        for (const part of parts) part.dataset.order = number++;
        parts[0].focus();
        return parts.length""",
    )
    reached = [0]
    for _ in range(wanted - 1):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(run(browser, "return Number(document.activeElement.dataset.order)"))
    assert reached == list(range(wanted))


CONTRAST = """
    const rgba = text => { const n = text.match(/[\\d.]+/g).map(Number);
        const [r, g, b, a = 1] = text.startsWith("color(") ? [n[0] * 255, n[1] * 255, n[2] * 255, n[3]] : n;
        return [r, g, b, a]; };
    const over = (top, under) => [0, 1, 2].map(k => top[k] * top[3] + under[k] * (1 - top[3])).concat(1);
    const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const light = c => { const [r, g, b] = c.slice(0, 3).map(linear);
        return .2126 * r + .7152 * g + .0722 * b; };
    const ground = part => { let layers = [];
        for (let at = part; at; at = at.parentElement) {
            layers.push(rgba(getComputedStyle(at).backgroundColor));
            if (at.matches("svg g") && at.firstElementChild?.matches(".cell")) {
                const style = getComputedStyle(at.firstElementChild), fill = rgba(style.fill);
                layers.push([...fill.slice(0, 3), fill[3] * Number(style.fillOpacity)]);
            }
        }
        return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
    const poor = [];
    for (const part of document.querySelectorAll("main *")) {
        const own = [...part.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (!own || !part.checkVisibility() || part.closest("title, option, button:disabled")) continue;
        const style = getComputedStyle(part), under = ground(part);
        const ink = over(rgba(part.closest("svg") ? style.fill : style.color), under);
        const [x, y] = [light(ink), light(under)];
        const ratio = (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
        if (ratio < 4.5) poor.push([ratio.toFixed(2), part.outerHTML.slice(0, 90)]);
    }
    return poor.slice(0, 5);"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_every_text_has_the_contrast_of_level_aa_on_what_lies_under_it(
    browser: Chrome, scheme: str, width: int
) -> None:
    at_width(browser, width)
    run(browser, "document.activeElement.blur()")
    run(
        browser,
        "if (document.documentElement.dataset.theme !== arguments[0]) document.getElementById('theme').click()",
        scheme,
    )
    assert run(browser, CONTRAST) == []
    lines = """const style = getComputedStyle(document.documentElement);
        const light = hex => { const [r, g, b] = [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16) / 255)
            .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b; };
        const paper = light(style.getPropertyValue("--paper"));
        return [...Array(8).keys()].map(k => light(style.getPropertyValue("--s" + k)))
            .map(own => (Math.max(own, paper) + .05) / (Math.min(own, paper) + .05));"""
    assert min(run(browser, lines)) >= 3  # lines and signs


def test_everything_that_reacts_has_a_name_for_screen_readers(browser: Chrome) -> None:
    nameless = """return [...document.querySelectorAll("button, input, select, [tabindex]")].filter(part =>
        !(part.getAttribute("aria-label") || part.textContent.trim() || (part.labels && part.labels.length)))
        .map(part => part.outerHTML.slice(0, 90))"""
    assert run(browser, nameless) == []
    levels = run(
        browser, "return [...document.querySelectorAll('h1, h2, h3')].map(part => Number(part.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_on_paper_the_page_is_light_whole_and_unfolded(browser: Chrome) -> None:
    state = "return [document.documentElement.dataset.theme, document.querySelectorAll('details:not([open])').length]"
    run(browser, "dispatchEvent(new Event('beforeprint'))")
    assert run(browser, state) == ["light", 0]
    run(browser, "dispatchEvent(new Event('afterprint'))")
    assert run(browser, state)[1] > 0


@pytest.mark.parametrize("width", [400, 1400])
def test_tables_of_five_environments_with_failures_fit(browser: Chrome, tmp_path: Path, width: int) -> None:
    places = ("Lake", "Rooms", "Corridor", "Lake 2", "Lake 3")
    sweep, cards = invented_sweep(agents=tuple("abcdefghij"), environments=places, seeds=20, points=50)
    at_width(browser, width)
    browser.get(write_report(sweep, cards, tmp_path).html.as_uri())
    hidden = """return [...document.querySelectorAll(".scroll")].filter(part =>
        part.scrollWidth > part.clientWidth + 1).map(part => part.getAttribute("aria-label"))"""
    assert run(browser, hidden) in ([], ["Probability of improvement"])
    assert run(browser, "return document.body.innerText.includes('not reached by 10 of 20')")


@pytest.mark.parametrize("width", [400, 1241, 1400])
@pytest.mark.parametrize(("agents", "environments"), [(2, 12), (10, 7), (10, 10)])
def test_tables_of_many_environments_fit(
    browser: Chrome, tmp_path: Path, agents: int, environments: int, width: int
) -> None:
    places = tuple(f"{world} {k}" for k in range(1, 5) for world in ("Lake", "Rooms", "Corridor"))
    names = tuple(f"agent {k}" for k in range(agents))
    sweep, cards = invented_sweep(agents=names, environments=places[:environments], seeds=10, points=20)
    at_width(browser, width)
    browser.get(write_report(sweep, cards, tmp_path).html.as_uri())
    hidden = """return [...document.querySelectorAll(".scroll")].filter(part =>
        part.scrollWidth > part.clientWidth + 1).map(part => part.getAttribute("aria-label"))"""
    assert run(browser, hidden) in ([], ["Probability of improvement"])
    shown = (
        "return [...document.querySelectorAll('.a1')].filter(part => part.style.display !== 'none').length"
    )
    run(browser, "document.querySelectorAll('.legend input')[1].click()")
    assert run(browser, shown) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_of_two_folders_is_silent_and_whole(
    browser: Chrome, tmp_path: Path, scheme: str, width: int
) -> None:
    sweep, cards = invented_sweep(seeds=4)
    other = replace(sweep, finished=tuple(replace(run, policy=None) for run in sweep.finished), seeds=5)
    page = versus_page(versus(compare(sweep, cards), compare(other, cards)))
    (tmp_path / "versus.html").write_text(page, encoding="utf-8")
    at_width(browser, width)
    browser.get((tmp_path / "versus.html").as_uri())
    run(
        browser,
        "if (document.documentElement.dataset.theme !== arguments[0]) document.getElementById('theme').click()",
        scheme,
    )
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]  # selenium's own lack
    assert run(browser, "return document.documentElement.scrollWidth <= innerWidth")
    clipped = "return [...document.querySelectorAll('.scroll')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
    assert run(browser, clipped) == 0
    assert run(browser, CONTRAST) == []
