// Comforts only: every page works without this file.
"use strict";

const euros = (cents) =>
  (cents / 100).toLocaleString(document.documentElement.lang, { style: "currency", currency: "EUR" });

// A link that no longer leads anywhere is a button: announced as one, pressed with the space bar.
function asButton(link) {
  if (!link) return null;
  const button = document.createElement("button");
  button.type = "button";
  button.className = link.className;
  Object.assign(button.dataset, link.dataset);
  button.textContent = link.textContent;
  link.replaceWith(button);
  return button;
}

// A running total of the ticked invoices, and "select all" without a round trip.
for (const form of document.querySelectorAll("[data-total]")) {
  const boxes = [...form.querySelectorAll("[data-cents]")];
  const words = form.querySelector("[data-total-words]");
  const output = form.querySelector("[data-total-output]");
  const bar = form.querySelector(".bar");
  const button = bar.querySelector("button");
  const all = asButton(form.querySelector("[data-tick-all]"));
  const label = button.textContent;
  const tickWords = all?.textContent;
  const update = () => {
    const ticked = boxes.filter((box) => box.checked);
    bar.hidden = !ticked.length;
    // Not before a tick: the first amount that a browser writes takes a slow phone half a second.
    if (ticked.length) {
      const total = euros(ticked.reduce((sum, box) => sum + Number(box.dataset.cents), 0));
      words.hidden = false;
      output.textContent = total;
      button.textContent = `${label} ${total}`;
    }
    if (all) {
      const complete = ticked.length === boxes.length;
      all.textContent = complete ? all.dataset.untickWords : tickWords;
    }
  };
  // What is ticked outlives a look at an invoice, another language, a session that ended.
  const keep = () => {
    const ticked = boxes.filter((box) => box.checked).map((box) => box.value);
    sessionStorage.setItem("ticked", JSON.stringify(ticked));
  };
  if (!location.search) {
    const kept = JSON.parse(sessionStorage.getItem("ticked") ?? "[]");
    for (const box of boxes) box.checked ||= kept.includes(box.value);
  }
  form.addEventListener("change", update);
  form.addEventListener("change", keep);
  all?.addEventListener("click", () => {
    const tick = boxes.some((box) => !box.checked);
    boxes.forEach((box) => (box.checked = tick));
    update();
    keep();
  });
  update();
  // The browser restores ticks when the payer comes back to the page.
  window.addEventListener("pageshow", update);
}

// The way to the bank, taken once: a payer who comes Back to it is told how to resume. It answers a
// form, which a browser would offer to send again: the payment's page takes its place in the history.
const wayOut = document.querySelector("[data-way-out]");
if (wayOut) {
  history.replaceState(null, "", wayOut.dataset.wayOut);
  if (wayOut.href) location.replace(wayOut.href);
  else wayOut.submit();
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace(wayOut.dataset.wayOut);
  });
}

// Waiting for the bank: the server says when to look again, and when to stop.
const waiting = document.querySelector("[data-refresh-after]");
if (waiting) {
  setTimeout(
    () => location.replace(waiting.dataset.refreshTo),
    Number(waiting.dataset.refreshAfter) * 1000,
  );
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// What is typed as a password, shown at will; hidden again as it leaves, for the browser keeps what
// is typed in a field of plain text.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  const words = button.querySelector("span");
  const state = button.nextElementSibling;
  const showWords = words.textContent;
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    words.textContent = shown ? button.dataset.hideWords : showWords;
    state.textContent = shown ? state.dataset.shown : state.dataset.hidden;
  };
  button.hidden = false;
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
}

if (!document.querySelector("[autofocus]")) document.getElementById("erreurs")?.focus();
