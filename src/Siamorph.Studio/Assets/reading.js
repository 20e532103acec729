// The pages of a reader: one image after another, no way back, and no hint of what it is.
import { post } from "./studio.js";
import { Editor } from "./editor.js";

const consent = document.getElementById("consent");
if (consent) {
  const { elements } = consent;
  elements.width.value = screen.width;
  elements.height.value = screen.height;
  elements.ratio.value = devicePixelRatio;
  elements.zoom.value = visualViewport?.scale ?? 1;
}

const box = document.getElementById("reading");
if (box) begin();

async function begin() {
  const link = `/read/${box.dataset.link}`;
  const [picture, answers, question, progress, fault, next, drawing] = ["picture", "answers", "question", "progress", "fault", "next", "editor"].map(id => document.getElementById(id));
  const scales = {
    quality: [["quality", "Image quality", box.dataset.quality.split("|")], ["shape", "Plausibility of the lesion's shape", box.dataset.quality.split("|")]],
    realism: [["realism", "Your answer", box.dataset.realism.split("|")]],
    outline: [],
  };
  let card = null, shown = 0, hidden = 0, hiddenSince = 0, editor = null;

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenSince = performance.now();
    else if (hiddenSince) { hidden += performance.now() - hiddenSince; hiddenSince = 0; }
  });

  function ask(name, title, words) {
    const field = document.createElement("fieldset");
    field.append(Object.assign(document.createElement("legend"), { textContent: title }));
    words.forEach((word, i) => {
      const choice = Object.assign(document.createElement("input"), { type: "radio", name, value: i + 1 });
      const key = Object.assign(document.createElement("kbd"), { textContent: i + 1 });
      key.setAttribute("aria-hidden", "true");
      const label = document.createElement("label");
      label.append(choice, key, word);
      field.append(label);
    });
    return field;
  }

  const chosen = name => Number(new FormData(answers).get(name)) || null;
  const complete = () => card && (card.block === "outline" ? editor.mask.area > 0 : scales[card.block].every(([name]) => chosen(name)));
  const enable = () => { next.disabled = !complete(); };

  async function load(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(await response.text());
    return URL.createObjectURL(await response.blob());
  }

  async function show(due) {
    if (!due) return void location.reload();
    card = due;
    const source = await load(`${link}/image/${card.item}`);
    question.textContent = card.question;
    progress.textContent = `${card.practice ? "Practice, which does not count. " : ""}Image ${card.number} of ${card.total}`;
    answers.replaceChildren(...scales[card.block].map(s => ask(...s)));
    const outline = card.block === "outline";
    picture.closest(".stage").hidden = outline;
    drawing.hidden = !outline;
    if (outline) {
      editor ??= new Editor(drawing, Number(box.dataset.width), Number(box.dataset.height));
      editor.changed = enable;
      editor.load(new Uint8Array(((editor.mask.width * editor.mask.height) + 7) >> 3));
      await editor.show(source);
      editor.fit();
      editor.canvas.focus({ preventScroll: true });
      window.siamorphEditor = editor;
    } else {
      picture.src = source;
      await picture.decode();
      answers.querySelector("input")?.focus({ preventScroll: true });
    }
    URL.revokeObjectURL(source);
    [shown, hidden, hiddenSince] = [performance.now(), 0, document.hidden ? performance.now() : 0];
    box.dataset.item = card.item;
    enable();
  }

  async function answer() {
    if (next.disabled) return;
    next.disabled = true;
    const now = performance.now(), away = hidden + (hiddenSince ? now - hiddenSince : 0);
    const body = {
      item: card.item, quality: null, shape: null, realism: null, outline: null, shown: new Date(Date.now() - (now - shown)).toISOString(),
      milliseconds: Math.round(now - shown), hiddenMilliseconds: Math.min(Math.round(away), Math.round(now - shown)), zoom: visualViewport?.scale ?? 1,
    };
    if (card.block === "outline") body.outline = btoa(String.fromCharCode(...editor.mask.pack()));
    else for (const [name] of scales[card.block]) body[name] = chosen(name);
    try {
      const response = await post(`${link}/answer`, JSON.stringify(body), { "Content-Type": "application/json" });
      fault.hidden = true;
      await show(await response.json());
    } catch (problem) {
      fault.textContent = problem.message;
      fault.hidden = false;
      enable();
    }
  }

  answers.addEventListener("change", enable);
  answers.addEventListener("submit", event => { event.preventDefault(); answer(); });
  next.addEventListener("click", answer);
  document.addEventListener("keydown", event => {
    if (!card || event.ctrlKey || event.metaKey || event.altKey || drawing.contains(event.target) || event.target.closest(".leave")) return;
    if (event.key === "Enter" && event.target !== next) { event.preventDefault(); answer(); }
    const open = scales[card.block].find(([name]) => !chosen(name));
    const choice = open && answers.querySelector(`input[name="${open[0]}"][value="${event.key}"]`);
    if (choice) { choice.checked = true; choice.focus({ preventScroll: true }); enable(); }
    if (event.key === "Backspace") { answers.reset(); enable(); }
  });

  try {
    await show(await (await fetch(`${link}/next`)).json());
  } catch (problem) {
    fault.textContent = problem.message;
    fault.hidden = false;
  }
}
