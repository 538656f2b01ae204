// The few things that a page cannot do alone. Say in the visitor's language which file was chosen.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type === "file" && input.files.length) input.closest(".file").querySelector("span").textContent = input.files[0].name;
});

// A hurried double click sends a form once.
const sent = new WeakMap();
document.addEventListener("submit", (event) => {
  const form = event.target, now = Date.now();
  if (form.method !== "post") return;
  if (now - (sent.get(form) ?? 0) < 2000) event.preventDefault();
  else sent.set(form, now);
});
