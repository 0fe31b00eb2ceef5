// Everything works without this file. With it: numbers that stay fresh, times in the reader's zone, keys.
const root = document.documentElement, base = root.dataset.base;
let paused = false, went = 0;
const dirty = () => document.querySelector("form[data-touched]") !== null;
document.addEventListener("input", e => e.target.closest("form[method=post]")?.setAttribute("data-touched", ""));

// Fresh numbers: the same page is asked for once more, and only what is inside elements that both have is exchanged. No row comes, goes or moves.
async function refresh() {
  if (document.hidden || paused || dirty()) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  const stale = document.querySelector("[data-stale]");
  if (!answer?.ok || answer.redirected) { stale?.removeAttribute("hidden"); return; }
  if (document.querySelector("[data-reload]")) { location.reload(); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  stale?.setAttribute("hidden", "");
  for (const now of document.querySelectorAll("[data-live]")) {
    const then = fresh.querySelector(`[data-live="${CSS.escape(now.dataset.live)}"]`);
    if (then && then.innerHTML !== now.innerHTML && !now.contains(document.activeElement)) now.replaceChildren(...then.childNodes);
  }
  const here = new Set([...document.querySelectorAll("[data-row]")].map(r => r.dataset.row));
  const added = [...fresh.querySelectorAll("[data-row]")].filter(r => !here.has(r.dataset.row)).length;
  const bar = document.querySelector("[data-new]");
  if (bar) { bar.querySelector("[data-count]").textContent = added; bar.toggleAttribute("data-some", added > 0); }
}
if (document.querySelector("[data-live]")) setInterval(refresh, 10_000);
const pause = document.querySelector("[data-pause]");
if (pause) {
  pause.textContent = "Pause updates";
  pause.addEventListener("click", e => { e.preventDefault(); paused = !paused; pause.textContent = paused ? "Go on updating" : "Pause updates"; });
}

// Times: the server writes UTC until it knows the zone; then it writes the reader's own.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (!document.cookie.includes(`hr-zone=${encodeURIComponent(zone)}`)) document.cookie = `hr-zone=${encodeURIComponent(zone)};path=${base};samesite=strict;max-age=31536000`;

// Keys: go somewhere, never do something.
const off = () => localStorage.getItem("hr-keys") === "off", box = document.querySelector("[data-keys]");
if (box) { box.checked = !off(); box.addEventListener("change", () => localStorage.setItem("hr-keys", box.checked ? "on" : "off")); }
document.addEventListener("keydown", e => {
  if (off() || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select")) return;
  if (e.key === "g") { went = Date.now(); return; }
  if (Date.now() - went < 1500) document.querySelector(`nav [data-key="${CSS.escape(e.key)}"]`)?.click();
  else if (e.key === "/") { e.preventDefault(); document.querySelector("input[type=search]")?.focus(); }
  else if (e.key === "e") { e.preventDefault(); document.querySelector("#body")?.focus(); }
  else if (e.key === "?") location.href = `${base}/help`;
  else if (e.key === "j" || e.key === "k") {
    const rows = [...document.querySelectorAll("[data-row]")].map(r => r.querySelector("a")).filter(a => a);
    rows[Math.max(0, Math.min(rows.length - 1, rows.indexOf(document.activeElement) + (e.key === "j" ? 1 : -1)))]?.focus();
  }
  went = 0;
});
