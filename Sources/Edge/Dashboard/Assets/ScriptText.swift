extension Assets {
    /// Fetches the live part of a page anew while somebody looks at it, and lets them stop that. Without it pages are complete and
    /// a reload shows what has changed.
    ///
    /// What is fetched was drawn and escaped by the server. A part that is the same is left alone, and the focus stays where it was.
    static let scriptText = """
        "use strict";
        (() => {
          const live = document.getElementById("live");
          const status = document.getElementById("updates");
          if (!live || !status) return;
          const interval = 2000;
          let paused = false, timer = 0, failures = 0, last = "";
          const button = document.createElement("button");
          button.type = "button";
          button.id = "pause";
          status.before(button);
          const say = (text) => { if (status.textContent !== text) status.textContent = text; };
          const show = () => {
            button.textContent = paused ? "Resume updates" : "Pause updates";
            button.setAttribute("aria-pressed", String(paused));
          };
          const place = (element) => {
            if (!element || !live.contains(element)) return null;
            if (element.id) return (root) => root.querySelector("#" + CSS.escape(element.id));
            const href = element.getAttribute("href");
            if (href) {
              const alike = (root) => [...root.querySelectorAll("a")].filter((link) => link.getAttribute("href") === href);
              const number = alike(live).indexOf(element);
              return (root) => alike(root)[number];
            }
            const label = element.getAttribute("aria-label");
            return label ? (root) => [...root.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === label) : null;
          };
          const take = (text) => {
            if (text === last) return;
            last = text;
            const selection = document.getSelection();
            if (selection && !selection.isCollapsed && live.contains(selection.anchorNode)) { last = ""; return; }
            const focused = place(document.activeElement);
            const scrolls = new Map([...live.querySelectorAll("[aria-label]")].map((one) => [one.getAttribute("aria-label"), [one.scrollLeft, one.scrollTop]]));
            const fresh = new DOMParser().parseFromString(text, "text/html").body;
            live.replaceChildren(...fresh.childNodes);
            for (const one of live.querySelectorAll("[aria-label]")) {
              const [x, y] = scrolls.get(one.getAttribute("aria-label")) || [0, 0];
              if (x) one.scrollLeft = x;
              if (y) one.scrollTop = y;
            }
            const again = focused && focused(live);
            if (again) again.focus({ preventScroll: true });
          };
          const update = async () => {
            try {
              const answer = await fetch(location.href, { headers: { "Forkless-Part": "live" }, cache: "no-store", redirect: "error" });
              if (answer.status === 401) { say("You are logged out: reload the page."); return; }
              if (!answer.ok) throw new Error(answer.status);
              take(await answer.text());
              if (failures) say("The node answers again.");
              failures = 0;
            } catch (error) {
              failures += 1;
              if (failures === 2) say("The node does not answer; trying again.");
            }
            plan();
          };
          const plan = () => {
            clearTimeout(timer);
            if (!paused && !document.hidden) timer = setTimeout(update, interval * Math.min(1 + failures, 8));
          };
          button.addEventListener("click", () => {
            paused = !paused;
            say(paused ? "Updates are paused." : "Updates go on.");
            show();
            plan();
          });
          document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) update(); else clearTimeout(timer); });
          show();
          plan();
        })();
        """
}
