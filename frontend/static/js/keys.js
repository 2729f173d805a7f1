// A row of letters that a keyboard may lack. A long press, the right mouse button or the arrow down on one that has
// variants shows them; Escape closes them.

const LONG_PRESS_MS = 450;

/** Make a row of letters write at the caret of its field. */
export function showKeys(row) {
  const area = document.getElementById(row.dataset.for);
  let wasLong = false;
  row.hidden = false;
  // Keeping the focus in the field keeps the phone's keyboard open.
  row.addEventListener("pointerdown", (event) => event.preventDefault());
  row.addEventListener("click", ({ target }) => {
    const key = target.closest("[data-key]");
    // The finger that opened the variants is lifted from their key, which is no tap on it.
    if (key && !wasLong) {
      area.focus();
      area.setRangeText(key.dataset.key, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
      closeAll(row);
    }
    wasLong = false;
  });
  for (const key of row.querySelectorAll("[data-variants]")) {
    onLongPress(key, (byFinger) => {
      wasLong = byFinger;
      open(key);
    });
  }
  row.addEventListener("keydown", (event) => onKey(event, row));
}

function onLongPress(key, act) {
  let timer;
  key.addEventListener("pointerdown", ({ button }) => button === 0 && (timer = setTimeout(act, LONG_PRESS_MS, true)));
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) key.addEventListener(name, () => clearTimeout(timer));
  key.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    act(event.pointerType === "touch");
  });
}

function onKey(event, row) {
  const key = event.target.closest("[data-variants]");
  if (event.key === "ArrowDown" && key) {
    event.preventDefault();
    open(key).firstElementChild.focus();
  } else if (event.key === "Escape") closeAll(row)?.focus();
}

function open(key) {
  closeAll(key.parentElement);
  const box = document.getElementById(key.dataset.variants);
  box.hidden = false;
  key.setAttribute("aria-expanded", "true");
  return box;
}

/** Close what is open, and return its key. */
function closeAll(row) {
  const key = row.querySelector("[aria-expanded=true]");
  key?.setAttribute("aria-expanded", "false");
  if (key) document.getElementById(key.dataset.variants).hidden = true;
  return key;
}
