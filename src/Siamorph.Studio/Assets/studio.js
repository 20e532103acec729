// Parts of a page that change by themselves are asked for again every two seconds, while anyone looks at the page.
const pause = 2000;

export const token = document.body.dataset.token;

/** Sends something that changes the server's files. */
export async function post(address, body, headers = {}) {
  const response = await fetch(address, { method: "POST", body, headers: { "X-Siamorph": token, ...headers } });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

function showPreview(box) {
  const slider = box.querySelector("input[type=range]");
  const pictures = [...box.querySelectorAll("img")];
  slider?.addEventListener("input", () => {
    const chosen = Number(slider.value);
    pictures.forEach((picture, i) => { picture.hidden = i !== chosen; });
    box.querySelector("output").textContent = pictures[chosen].dataset.step;
  });
}

function wake(part) {
  part.querySelectorAll("[data-previews]").forEach(showPreview);
}

// What the reader has opened, chosen or is about to press must not be taken away.
function isTouched(part) {
  return part.contains(document.activeElement) && document.activeElement !== document.body;
}

async function refresh(part) {
  if (document.hidden || isTouched(part)) return;
  const response = await fetch(part.dataset.live).catch(() => null);
  if (!response) return say("The Studio does not answer. Jobs go on without it.");
  if (response.status === 401) return say("The Studio was started anew. Enter by the link that it printed.");
  if (!response.ok) return;
  const html = await response.text();
  say("");
  if (html === part.shown || isTouched(part)) return;
  const opened = [...part.querySelectorAll("details")].map(d => d.open);
  const scrolled = [...part.querySelectorAll("pre")].map(p => p.scrollTop + p.clientHeight >= p.scrollHeight - 4 ? Infinity : p.scrollTop);
  part.innerHTML = html;
  part.shown = html;
  part.querySelectorAll("details").forEach((d, i) => { d.open = opened[i] ?? d.open; });
  part.querySelectorAll("pre").forEach((p, i) => { p.scrollTop = Math.min(scrolled[i] ?? Infinity, p.scrollHeight); });
  wake(part);
}

function say(message) {
  let line = document.getElementById("connection");
  if (!message) return line?.remove();
  if (!line) {
    line = Object.assign(document.createElement("p"), { id: "connection", className: "notice bad" });
    line.setAttribute("role", "status");
    document.getElementById("main").prepend(line);
  }
  line.textContent = message;
}

wake(document);
document.querySelectorAll("pre.console").forEach(p => { p.scrollTop = p.scrollHeight; });
for (const part of document.querySelectorAll("[data-live]")) setInterval(() => refresh(part), pause);
