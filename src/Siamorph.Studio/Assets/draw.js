// The drawing page: a mask on the left, the image that a model gives it on the right.
import { post } from "./studio.js";
import { Editor } from "./editor.js";

const box = document.getElementById("editor");
const [draw, another, keep] = ["draw", "another", "keep"].map(id => document.getElementById(id));
const result = document.getElementById("result"), caption = document.getElementById("caption"), settings = document.getElementById("settings");
const at = encodeURIComponent(box.dataset.at);
const editor = new Editor(box, Number(box.dataset.width), Number(box.dataset.height));
let number = 0, drawn = null, drawing = null, warm = false, trainedSteps = null;

const base64 = bytes => { let text = ""; for (const b of bytes) text += String.fromCharCode(b); return btoa(text); };
const numberOr = (value, otherwise) => value === "" || value === undefined ? otherwise : Number(value);

// UniPC comes as near to the image of very many steps with three quarters of the steps of DDIM.
const steps = () => trainedSteps && settings.elements.sampler.value ? Math.max(1, Math.round(0.75 * trainedSteps)) : trainedSteps;

function enable() {
  draw.disabled = another.disabled = !warm || editor.mask.area === 0;
  keep.disabled = !drawn;
}

function form() {
  const v = Object.fromEntries(new FormData(settings));
  return JSON.stringify({
    bits: base64(editor.mask.pack()), width: editor.mask.width, height: editor.mask.height, seed: numberOr(v.seed, 1), number,
    steps: numberOr(v.steps, steps()), sampler: v.sampler || null, guidance: numberOr(v.guidance, null), fromReal: v.start === "real", strength: numberOr(v.strength, null),
    pair: box.dataset.pair || null, previews: "previews" in v, prompt: v.prompt || null,
  });
}

function show(line, started) {
  if (line.error) return editor.tell(line.error);
  result.src = `data:image/png;base64,${line.image}`;
  result.hidden = false;
  if (!line.last) return void (caption.textContent = `Step ${line.done} of ${line.steps}, as it is expected to become.`);
  drawn = line;
  result.alt = `Image ${line.pair} drawn for the mask`;
  caption.textContent = `${line.pair}: drawn in ${line.seconds.toFixed(2)} s, here after ${((performance.now() - started) / 1000).toFixed(2)} s.`;
  box.dataset.drawn = line.pair;
}

async function paint() {
  drawing?.abort();
  const own = drawing = new AbortController();
  const started = performance.now();
  drawn = null;
  enable();
  try {
    const answer = await fetch(`/draw/image?at=${at}`, { method: "POST", body: form(), signal: own.signal, headers: { "X-Siamorph": document.body.dataset.token, "Content-Type": "application/json" } });
    if (!answer.ok) throw new Error(await answer.text());
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = lines.pop();
      for (const line of lines) show(JSON.parse(line), started);
      if (done) break;
    }
  } catch (fault) {
    if (fault.name !== "AbortError") editor.tell(fault.message);
  }
  if (drawing === own) drawing = null;
  enable();
}

draw.addEventListener("click", () => { number = 0; paint(); });
another.addEventListener("click", () => { number++; paint(); });
keep.addEventListener("click", async () => {
  try {
    const kept = await (await post(`/draw/keep?name=${drawn.name}&folder=${encodeURIComponent(document.getElementById("folder").value)}`)).json();
    editor.tell(`${kept.pair} is kept in ${kept.at}.`);
  } catch (fault) {
    editor.tell(fault.message);
  }
});
settings.elements.sampler.addEventListener("change", () => { settings.elements.steps.placeholder = steps() ?? "as trained"; });
document.getElementById("runs").addEventListener("change", event => event.target.form.requestSubmit());
settings.addEventListener("submit", event => { event.preventDefault(); if (!draw.disabled) draw.click(); });
editor.changed = enable;
editor.canvas.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey) return;
  if (event.key === "d" && !draw.disabled) draw.click();
  if (event.key === "r" && !draw.disabled) { settings.elements.seed.value = Math.floor(Math.random() * 1e6); draw.click(); }
});

if (box.dataset.pair) {
  editor.load(new Uint8Array(await (await fetch(`/edit/${box.dataset.pair}/bits`)).arrayBuffer()));
  await editor.show(box.dataset.image);
}
editor.tell("The model is being loaded.");
try {
  const model = await (await post(`/draw/warm?at=${at}`)).json();
  warm = true;
  // Prompts that the model has learned; the first one that says anything is what its images are of.
  const learned = model.prompts.filter(p => p);
  settings.elements.prompt.replaceChildren(...learned.map(p => new Option(p, p)), new Option("none", ""));
  document.getElementById("prompt").hidden = learned.length === 0;
  trainedSteps = model.steps;
  settings.elements.steps.placeholder = steps();
  settings.elements.guidance.placeholder = model.guidance;
  editor.tell("Draw the outline of a lesion, then press Draw, or D on the canvas.");
} catch (fault) {
  editor.tell(fault.message);
}
enable();
box.dataset.ready = "true";
window.siamorphEditor = editor;
