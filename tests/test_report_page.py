"""The page in a real browser: silent, alone, whole at every width, and its switches switch."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from invented_sweep import invented_sweep

from bellglass.experiments.report import write_report

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


def test_another_run_can_be_chosen_on_the_map(browser: Chrome) -> None:
    script = """const pair = document.querySelector("[data-map]"), select = pair.querySelector("select");
        select.value = arguments[0]; select.dispatchEvent(new Event("change"));
        return [pair.querySelector(".said").textContent, pair.querySelectorAll(".learned .wrong").length,
                pair.querySelectorAll(".learned .arrow").length]"""
    said, wrong, arrows = run(browser, script, "0")
    assert said.startswith("Planner, seed ")
    assert wrong == 0
    assert arrows == 11  # 16 cells less 4 holes and the goal
    data = "return JSON.parse(document.getElementById('data').textContent).maps[0].runs.map(run => run.w)"
    for choice, expected in enumerate(run(browser, data)):
        said, wrong, _ = run(browser, script, str(choice))
        assert wrong == expected
        assert f", {expected} state" in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Chrome, scheme: str) -> None:
    command(
        browser, "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    contrast = """const light = text => {
        const probe = document.createElement("i"); probe.style.color = text; document.body.append(probe);
        const rgb = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number); probe.remove();
        const [r, g, b] = rgb.slice(0, 3).map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b; };
      const style = getComputedStyle(document.documentElement);
      const ratio = (a, b) => { const [x, y] = [light(style.getPropertyValue(a)), light(style.getPropertyValue(b))];
        return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
      return [["--ink", "--paper"], ["--soft", "--paper"], ["--soft", "--panel"], ["--bad", "--paper"],
              ["--bad", "--panel"]].map(pair => ratio(...pair)).concat(
              [...Array(8).keys()].map(k => 1.5 * ratio("--s" + k, "--paper")));"""
    assert min(run(browser, contrast)) >= 4.5  # lines and signs need 3, hence the factor of 1.5


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
