// Sends the form with its options in the query, and shows the answer below it.
for (const form of document.querySelectorAll("form")) {
  const [status, image, text] = ["output", "img", "pre"].map((name) => form.querySelector(name));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    image.hidden = text.hidden = true;
    status.textContent = "Sending …";
    const query = new URLSearchParams();
    for (const control of form.querySelectorAll("[data-option]")) {
      if (control.value) query.set(control.dataset.option, control.value);
    }
    try {
      const start = performance.now();
      const answer = await fetch(`${form.getAttribute("action")}?${query}`, {
        method: "POST",
        body: form.querySelector("[type=file]").files[0],
      });
      const blob = await answer.blob();
      status.textContent = `${answer.status} in ${Math.round(performance.now() - start)} ms`;
      if (blob.type.startsWith("image/")) {
        URL.revokeObjectURL(image.src);
        image.src = URL.createObjectURL(blob);
        image.hidden = false;
      } else {
        text.textContent = JSON.stringify(JSON.parse(await blob.text()), null, 2);
        text.hidden = false;
      }
    } catch (error) {
      status.textContent = `No answer: ${error.message}`;
    }
  });
}
