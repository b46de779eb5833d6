"use strict";
// A test card clicked is a card typed.
for (const button of document.querySelectorAll("[data-card]")) {
  button.addEventListener("click", () => {
    document.getElementById("card").value = button.dataset.card;
  });
}
// Whoever has paid is sent back by and by; the link is there for those who do not wait.
for (const link of document.querySelectorAll("[data-follow-after]")) {
  setTimeout(() => link.click(), Number(link.dataset.followAfter) * 1000);
}
