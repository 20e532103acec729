// The page of one pair's mask.
import { post } from "./studio.js";
import { Editor } from "./editor.js";
import { Mask } from "./mask.js";
import * as drafts from "./drafts.js";

const box = document.getElementById("editor");
const { pair, image, draft } = box.dataset;
let known = box.dataset.known;
const editor = new Editor(box, Number(box.dataset.width), Number(box.dataset.height));
const save = document.getElementById("save");

function dirty(is) {
  save.disabled = !is;
  save.textContent = is ? "Save" : "Saved";
}

editor.changed = bits => {
  dirty(true);
  drafts.keep(draft, { bits, known });
};

async function write() {
  if (save.disabled) return;
  const bits = editor.mask.pack();
  try {
    const answer = await post(`/edit/${pair}`, bits, { "Content-Type": "application/octet-stream", "X-Known": known });
    known = (await answer.json()).known;
    await drafts.forget(draft);
    dirty(false);
    editor.tell("Saved. The mask before is kept in the folder edits.");
  } catch (fault) {
    editor.tell(fault.message);
  }
}

save.addEventListener("click", write);
box.addEventListener("keydown", event => {
  if (event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    write();
  } else if (event.target === editor.canvas && (event.key === "PageDown" || event.key === "PageUp")) {
    event.preventDefault();
    document.getElementById(event.key === "PageDown" ? "next" : "previous")?.click();
  } else if (event.target === editor.canvas && event.key === "d" && !event.ctrlKey) document.getElementById("draw")?.click();
});

const stored = await fetch(`/edit/${pair}/bits`);
editor.load(new Uint8Array(await stored.arrayBuffer()));
const kept = await drafts.find(draft).catch(() => null);
if (kept) {
  editor.change("Strokes that were not saved are back", m => m.data.set(Mask.unpack(kept.bits, m.width, m.height).data));
  if (kept.known !== known) editor.tell("Strokes that were not saved are back. The file has changed since: look before you save.");
}
dirty(Boolean(kept));
await editor.show(image);
editor.canvas.focus({ preventScroll: true });
box.dataset.ready = "true";
window.siamorphEditor = editor;
