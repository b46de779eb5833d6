"use strict";
// A test card clicked is a card typed.
for (const button of document.querySelectorAll("[data-card]")) {
  button.addEventListener("click", () => {
    document.getElementById("card").value = button.dataset.card;
  });
}
