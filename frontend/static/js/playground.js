// Fills the two columns of a generation while the models write. Without this file the page reloads itself.

const page = document.querySelector("[data-stream]");

function show(which, text, { whole = false } = {}) {
  const place = page.querySelector(`[data-text="${which}"]`);
  if (!place) return;
  place.textContent = whole ? text : place.textContent + text;
}

function end(source, state, message = "") {
  source.close();
  page.querySelector("[data-state]").textContent = page.dataset[state] + (message ? ` ${message}` : "");
  page.querySelector("[data-busy]")?.setAttribute("hidden", "");
  page.querySelector("[data-again]")?.removeAttribute("hidden");
  if (state === "finished") page.querySelector("[data-why]")?.removeAttribute("hidden");
  page.removeAttribute("aria-busy");
}

function follow() {
  const source = new EventSource(page.dataset.stream);
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (event.event === "finished") end(source, "finished");
    else if (event.event === "error") end(source, "failed", event.message);
    else if (event.event === "whole") {
      show("base", event.base, { whole: true });
      show("adapter", event.adapter, { whole: true });
    } else if (event.text) {
      page.querySelector("[data-state]").textContent = page.dataset.writing;
      show(event.which, event.text);
    }
  });
}

if (page) follow();
