// Strokes that were not saved yet, kept by the browser: a page that is loaded again, or a computer that was switched off, loses none.
const store = "drafts";
let opened = null; // kept open: a stroke is on its way to the disk at once

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("siamorph", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run(mode, action) {
  opened ??= open();
  const database = await opened.catch(fault => { opened = null; throw fault; });
  return new Promise((resolve, reject) => {
    const request = action(database.transaction(store, mode).objectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export const keep = (name, draft) => run("readwrite", s => s.put(draft, name));
export const find = name => run("readonly", s => s.get(name));
export const forget = name => run("readwrite", s => s.delete(name));
