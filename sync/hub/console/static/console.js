// The one thing that a page cannot do alone: say in the visitor's language which file was chosen.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type === "file" && input.files.length) input.closest(".file").querySelector("span").textContent = input.files[0].name;
});
