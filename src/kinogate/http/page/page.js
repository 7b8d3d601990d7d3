// The plain page: a form over the native API. The console will take its place.

const api = "/kinogate/v1";
const at = (id) => document.getElementById(id);

const handed = new URLSearchParams(location.hash.slice(1)).get("key");
if (handed) {
  sessionStorage.setItem("kinogate-key", handed);
  history.replaceState(null, "", location.pathname);
}
at("key").value = sessionStorage.getItem("kinogate-key") ?? "";

async function ask(method, path, body) {
  const reply = await fetch(api + path, {
    method,
    headers: { authorization: `Bearer ${at("key").value}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const value = await reply.json();
  if (!reply.ok) throw new Error(value.detail ?? `HTTP ${reply.status}`);
  return value;
}

let models = [];

function fill(select, values, chosen) {
  select.replaceChildren(...values.map((value) => new Option(value, value, false, value === chosen)));
  select.disabled = values.length < 2;
}

function showModel() {
  const model = models.find((item) => item.name === at("model").value);
  if (!model) return;
  fill(at("resolution"), model.resolutions, model.default_resolution);
  const seconds = model.durations.map(String);
  fill(at("duration"), seconds, String(model.default_duration > 0 ? model.default_duration : 5));
  at("audio").disabled = model.audio !== "switch";
  at("audio").checked = model.audio !== "none";
  const takesImage = model.engine_modes.includes("i2v");
  at("image").disabled = !takesImage;
  at("image").required = takesImage && !model.engine_modes.includes("t2v");
}

async function loadModels() {
  if (!at("key").value) return;
  try {
    models = (await ask("GET", "/models")).models.filter((model) =>
      model.engine_modes.some((mode) => mode === "t2v" || mode === "i2v"),
    );
    fill(at("model"), models.map((model) => model.name), "wan2.6-t2v");
    showModel();
  } catch (error) {
    show(error.message, true);
  }
}

function show(text, isBad = false) {
  at("result").hidden = false;
  at("state").textContent = text;
  at("state").className = isBad ? "bad" : "";
}

const dataUri = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error("The picture cannot be read."));
    reader.readAsDataURL(file);
  });

async function wish() {
  const body = { model: at("model").value, prompt: at("prompt").value, resolution: at("resolution").value };
  if (at("duration").value) body.duration = Number(at("duration").value);
  if (at("seed").value) body.seed = Number(at("seed").value);
  if (!at("audio").disabled) body.audio = at("audio").checked;
  const file = at("image").files[0];
  if (file && !at("image").disabled) body.image = await dataUri(file);
  return body;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function follow(task) {
  while (!["succeeded", "failed", "canceled"].includes(task.status)) {
    show(`${task.status} · ${Math.round(task.progress * 100)} %`);
    at("bar").value = task.progress;
    await pause(400);
    task = await ask("GET", `/tasks/${task.id}`);
  }
  at("bar").value = task.status === "succeeded" ? 1 : task.progress;
  if (!task.video) return show(task.error?.message ?? task.status, true);
  show(`Done: task ${task.id}`);
  const { video } = task;
  at("player").src = video.url;
  at("player").poster = video.poster_url ?? "";
  at("player").hidden = false;
  at("facts").textContent =
    `${video.width}×${video.height}, ${video.duration} s at ${video.fps} fps, seed ${task.seed}, ` +
    `$${task.cost_usd}. ${task.warnings.join(" ")}`;
}

at("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("go").disabled = true;
  at("player").hidden = true;
  at("facts").textContent = "";
  try {
    await follow(await ask("POST", "/tasks", await wish()));
  } catch (error) {
    show(error.message, true);
  } finally {
    at("go").disabled = false;
  }
});

at("model").addEventListener("change", showModel);
at("key").addEventListener("change", () => {
  sessionStorage.setItem("kinogate-key", at("key").value);
  loadModels();
});
loadModels();
