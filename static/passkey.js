// Passkeys: a form marked data-passkey="create|get" first asks its data-question what to ask the browser, has it answered by
// the authenticator, and is then sent as any other form.

const words = {
  NotAllowedError: "Nothing was done: it was cancelled, or took too long.",
  InvalidStateError: "This authenticator holds a passkey of this account already.",
  SecurityError: "The browser makes no passkeys on this site.",
};

async function answered(form) {
  const asked = await fetch(form.dataset.question, {
    method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin",
  });
  const question = await asked.json().catch(() => ({}));
  if (!asked.ok) throw new Error(question.detail ?? "The portal did not answer. Try again.");
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question) });
}

for (const form of globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  const place = form.querySelector("[data-refusal]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    place.hidden = true;
    try {
      const credential = await answered(form);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      place.textContent = words[error.name] ?? error.message;
      place.hidden = false;
      button.disabled = false;
    }
  });
}
