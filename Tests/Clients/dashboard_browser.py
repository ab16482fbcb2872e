"""Looks at the dashboard of a node with headless Chromium, as a person would: with eyes, keys and buttons.

usage: dashboard_browser.py FORKLESS PROGRAM-THAT-IS-SHIFTED
       dashboard_browser.py FORKLESS --paint PATH COUNT       prints milliseconds until the first contentful paint, a line each

FORKLESS_STATE and FORKLESS_RUN say which node. Prints a line for each thing that is as it should be; the first that is not ends
it with what was seen.
"""

import http.server
import os
import subprocess
import sys
import threading
import time

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

FORKLESS = sys.argv[1]
PAGES = ["", "/workloads", "/functions", "/shifts", "/images", "/events", "/ledger", "/reports"]
HOSTILE = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\u202e\x1b[31m"


def forkless(*words):
    done = subprocess.run([FORKLESS, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"forkless {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def browser():
    options = Options()
    for flag in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-extensions",
                 "--disable-background-networking", "--disable-component-update", "--no-first-run"]:
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(60)
    return driver


def size(driver, width, height, phone=False):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone})


def wait(what, check, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            seen = check()
        except (NoSuchElementException, StaleElementReferenceException):
            # The page is being replaced by the next one.
            seen = None
        if seen:
            return seen
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def log_in(driver):
    url = forkless("dashboard")
    driver.get(url)
    wait("the first page after logging in", lambda: driver.title.startswith("Overview"))
    return url.split("/dashboard")[0] + "/dashboard", url


# An update may replace what was found before it is used: then it is looked for again.

def text(driver, css="main"):
    return wait(f"the text of {css}", lambda: driver.find_element(By.CSS_SELECTOR, css).text)


def click(driver, by, what):
    wait(f"{what} to click", lambda: driver.find_element(by, what).click() or True)


def type_into(driver, by, what, keys):
    wait(f"{what} to type into", lambda: driver.find_element(by, what).send_keys(keys) or True)


def link(driver, by, what):
    return wait(f"where {what} leads", lambda: driver.find_element(by, what).get_attribute("href"))


def without_login(driver, base):
    driver.get(base)
    assert driver.title.startswith("Log in"), driver.title
    assert "forkless dashboard" in text(driver)
    type_into(driver, By.NAME, "token", "wrong" + Keys.ENTER)
    wait("the page says that it is not the token", lambda: "This is not the token." in text(driver))


def landmarks(driver):
    return driver.execute_script("""
      const wrong = [], all = (css) => [...document.querySelectorAll(css)];
      const name = (element) => (element.getAttribute("aria-label") || element.textContent || "").trim();
      if (all("main").length !== 1) wrong.push("not one main");
      if (all("body > header").length !== 1) wrong.push("not one banner");
      if (all("body > footer").length !== 1) wrong.push("not one contentinfo");
      if (all("nav").some((nav) => !nav.getAttribute("aria-label"))) wrong.push("a navigation without a name");
      if (all("[aria-current=page]").length > 1) wrong.push("two current pages");
      if (all("h1").length !== 1) wrong.push("not one h1");
      let level = 0;
      for (const heading of all("h1, h2, h3, h4")) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) wrong.push("a heading is left out before " + heading.textContent);
        level = next;
      }
      if (!document.documentElement.lang) wrong.push("no language");
      for (const table of all("table")) {
        if (!table.caption || !table.caption.textContent.trim()) wrong.push("a table without a caption");
        if ([...table.querySelectorAll("th")].some((cell) => !cell.getAttribute("scope"))) wrong.push("a header without a scope");
        if ([...table.querySelectorAll("tbody tr")].some((row) => !row.querySelector("th[scope=row]"))) wrong.push("a row without a header");
      }
      for (const one of all("a[href], button")) if (!name(one)) wrong.push("no name: " + one.outerHTML);
      for (const one of all("input:not([type=hidden]), select")) if (!one.labels.length) wrong.push("no label: " + one.outerHTML);
      for (const one of all("svg")) if (one.getAttribute("role") !== "img" || !name(one)) wrong.push("a picture without words");
      for (const one of all("[role=region]")) if (!name(one) || one.tabIndex !== 0) wrong.push("a region that keys do not reach");
      const ids = all("[id]").map((one) => one.id);
      if (new Set(ids).size !== ids.length) wrong.push("an id twice");
      if (!all("[role=status]").length) wrong.push("nowhere to announce");
      if (all("[tabindex]").some((one) => one.tabIndex > 0)) wrong.push("an order of its own");
      return wrong;""")


def contrasts(driver):
    """Texts whose contrast is below 4.5, as they are drawn."""
    return driver.execute_script("""
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
      };
      const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
      const ground = (element) => {
        for (let one = element; one; one = one.parentElement) {
          const colour = rgba(getComputedStyle(one).backgroundColor);
          if (colour[3] > 250) return colour;
        }
        return rgba("Canvas");
      };
      const low = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || element.closest("script, option, meter, .unseen, .skip")) continue;
        const pair = [luminance(rgba(getComputedStyle(element).color)), luminance(ground(element))].sort();
        const contrast = (pair[1] + 0.05) / (pair[0] + 0.05);
        if (contrast < 4.5) low.push(contrast.toFixed(2) + ": " + walker.currentNode.textContent.slice(0, 40));
      }
      return low;""")


def every_page(driver, base, more):
    for dark in ["light", "dark"]:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": dark}]})
        for page in PAGES + more:
            driver.get(base + page)
            assert landmarks(driver) == [], (page, landmarks(driver))
            assert contrasts(driver) == [], (page, dark, contrasts(driver))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for width, height in [(390, 844), (320, 640)]:
        size(driver, width, height, phone=True)
        for page in PAGES + more:
            driver.get(base + page)
            wide = driver.execute_script("return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
            assert wide <= width, f"{page} is {wide} wide at {width}"
    size(driver, 1280, 860)


def workloads_and_hostile_names(driver, base):
    driver.get(base + "/workloads")
    shown = text(driver)
    for name in ["plain-worker", "hostile-worker"]:
        assert name in shown, shown
    click(driver, By.LINK_TEXT, "hostile-worker")
    wait("the container's page", lambda: driver.title.startswith("hostile-worker"))
    shown = text(driver)
    assert "<img src=x onerror='window.hacked=1'>" in shown and "⟨U+202E⟩" in shown and "␛[31m" in shown, shown
    assert driver.execute_script("return window.hacked") is None
    assert driver.find_elements(By.CSS_SELECTOR, "main img, main script") == []
    driver.get(base + "/workloads?q=hostile&sort=state&order=desc&rung=container")
    shown = text(driver)
    assert "hostile-worker" in shown and "plain-worker" not in shown and "1 workload" in shown, shown


def live_update(driver, base):
    driver.get(base + "/workloads")
    driver.execute_script("window.same = true; document.getElementById('sort-state').focus()")
    forkless("run", "-d", "--name", "newcomer", "sleep", "100000")
    wait("the newcomer without a reload", lambda: "newcomer" in text(driver))
    assert driver.execute_script("return window.same"), "the page was loaded anew"
    assert driver.execute_script("return document.activeElement.id") == "sort-state", "the focus has moved"
    button = driver.find_element(By.ID, "pause")
    assert button.text == "Pause updates"
    button.send_keys(Keys.ENTER)
    assert driver.find_element(By.ID, "updates").text == "Updates are paused."
    forkless("rm", "--force", "newcomer")
    # Two rounds of updates would have shown it.
    time.sleep(5)
    assert "newcomer" in text(driver), "it was updated while it was paused"
    button.send_keys(Keys.ENTER)
    wait("the newcomer is gone", lambda: "newcomer" not in text(driver))


def keyboard(driver, base):
    driver.get(base + "/workloads")
    driver.find_element(By.ID, "pause").send_keys(Keys.ENTER)
    driver.execute_script("document.activeElement.blur(); document.body.focus()")
    count = driver.execute_script("""
      return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, [tabindex='0']")].length""")
    press = lambda key: webdriver.ActionChains(driver).send_keys(key).perform()
    driver.get(base + "/workloads")
    press(Keys.TAB)
    skip = driver.switch_to.active_element
    assert skip.text == "Skip to the content" and skip.rect["x"] >= 0, "the first step is no skip link that is seen"
    press(Keys.ENTER)
    assert driver.execute_script("return document.activeElement.id") == "main"
    driver.get(base + "/workloads")
    seen = []
    for _ in range(count + 8):
        press(Keys.TAB)
        state = driver.execute_script("""
          const one = document.activeElement, style = getComputedStyle(one);
          if (one === document.body) return null;
          one.dataset.step ||= String(performance.now());
          return [one.dataset.step, one.outerHTML.slice(0, 120), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];""")
        if state is None:
            break
        assert state[2], "the focus is not seen: " + state[1]
        seen.append(state[0])
    # An update of the page may have replaced some on the way: then they come once more and never less.
    assert len(seen) >= count - 1, f"{len(seen)} of {count} are reached by the tabulator"
    driver.get(base)
    link = driver.find_element(By.LINK_TEXT, "Shifts")
    link.send_keys(Keys.ENTER)
    wait("the page of shifts by keys", lambda: driver.title.startswith("Shifts"))


def roll_back(driver, base, program):
    driver.get(base + "/shifts")
    row = f"//tr[th//*[normalize-space()='{program}']]"
    shown = wait("the shift", lambda: driver.find_element(By.XPATH, row).text)
    assert "canary 50 %" in shown, shown
    click(driver, By.XPATH, row + "//a[contains(normalize-space(), 'Roll back')]")
    wait("the question", lambda: driver.title.startswith("Roll back"))
    assert "the original program answers every call" in text(driver)
    click(driver, By.CSS_SELECTOR, "form.confirm button")
    wait("what has happened", lambda: "was rolled back" in text(driver))
    assert "rolled back" in text(driver, "main .summary")
    assert driver.find_elements(By.PARTIAL_LINK_TEXT, "Roll back") == []


def act(driver, base):
    driver.get(base + "/workloads?q=plain-worker")
    click(driver, By.LINK_TEXT, "plain-worker")
    wait("its page", lambda: driver.title.startswith("plain-worker"))
    for action, after in [("Stop", "exited"), ("Start", "running"), ("Restart", "running")]:
        click(driver, By.XPATH, f"//main//a[starts-with(normalize-space(), '{action} ')]")
        click(driver, By.CSS_SELECTOR, "form.confirm button")
        wait(f"{action} is told of", lambda: driver.find_elements(By.CSS_SELECTOR, "main .notice.good"))
        assert after in text(driver), text(driver)
    driver.get(base + "/ledger")
    click(driver, By.PARTIAL_LINK_TEXT, "Verify now")
    click(driver, By.CSS_SELECTOR, "form.confirm button")
    wait("the verification", lambda: "Verified: " in text(driver, ".summary"))
    type_into(driver, By.NAME, "workload", "nobody" + Keys.ENTER)
    wait("no record", lambda: "No record is like that." in text(driver))


def other_site(driver, base):
    """A page of another port of this machine: the cookie goes along with what it sends, and still nothing is done."""
    page = f"<title>other</title><form method=post action='{base}/do'><input name=do value=verify><input name=form value=x></form><script>document.forms[0].submit()</script>"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        driver.get(f"http://127.0.0.1:{server.server_address[1]}/")
        wait("the refusal", lambda: driver.title.startswith("From another site"))
    finally:
        server.shutdown()


def without_script(driver, base):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    driver.get(base + "/workloads")
    assert "plain-worker" in driver.page_source
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def complaints(driver):
    """What the browser had to say, but for the answers that were meant to be refusals."""
    return [entry["message"] for entry in driver.get_log("browser")
            if not any(f"status of {status} " in entry["message"] for status in (401, 403))]


def paint(driver, path, count):
    base, _ = log_in(driver)
    for _ in range(count):
        driver.get(base + path)
        entries = wait("the first paint", lambda: driver.execute_script("""
          return performance.getEntriesByName("first-contentful-paint").map((entry) => entry.startTime)"""))
        print(round(entries[0], 1))


def look(driver, program):
    size(driver, 1280, 860)
    forkless("run", "-d", "--name", "plain-worker", "sleep", "100000")
    forkless("run", "-d", "--name", "hostile-worker", "--label", "note=" + HOSTILE, "sh", "-c", "sleep 100000", HOSTILE, "x" * 4000)
    base, used = log_in(driver)
    driver.delete_all_cookies()
    done = lambda what: print("ok", what, flush=True)
    without_login(driver, base)
    driver.get(used)
    assert "used already" in text(driver), text(driver)
    done("who has not logged in")
    base, _ = log_in(driver)
    workloads_and_hostile_names(driver, base)
    done("workloads and hostile names")
    live_update(driver, base)
    done("live updates")
    keyboard(driver, base)
    done("keys")
    driver.get(base + "/workloads?q=hostile")
    more = [link(driver, By.LINK_TEXT, "hostile-worker").split("/dashboard")[1]]
    driver.get(base + "/shifts")
    more.append(link(driver, By.CSS_SELECTOR, "tbody th a").split("/dashboard")[1])
    every_page(driver, base, more + ["/confirm?do=verify"])
    done("landmarks, contrast and narrow screens")
    roll_back(driver, base, program)
    done("rolling back")
    act(driver, base)
    done("stopping, starting, verifying")
    without_script(driver, base)
    done("without a script")
    other_site(driver, base)
    done("another site's page")
    driver.get(base)
    click(driver, By.CSS_SELECTOR, ".logout button")
    wait("logged out", lambda: driver.title.startswith("Log in"))
    driver.get(base)
    assert driver.title.startswith("Log in")
    done("logging out")
    left = complaints(driver)
    assert left == [], left
    done("no complaint of the browser")


def main():
    driver = browser()
    try:
        if sys.argv[2] == "--paint":
            paint(driver, sys.argv[3], int(sys.argv[4]))
        else:
            look(driver, sys.argv[2])
    finally:
        driver.quit()


main()
