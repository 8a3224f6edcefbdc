// The input of a model that takes an image: drop, choose or photograph, several at once.

import { request } from "./api.js";
import { announce, counted, el, icon, newId } from "./dom.js";
import { imageFile } from "./examples.js";
import { size } from "./format.js";
import { upright } from "./orientation.js";
import { outcome } from "./outcome.js";

// As many as the gateway takes in one request.
const MOST = 16;
const ACCEPTED = ["image/jpeg", "image/png"];

/** Images to ask a model about. `field`: what the model calls an image. */
export class ImageInput {
  constructor(model, field) {
    this.model = model;
    this.field = field;
    this.images = [];
    this.list = el("ul", { class: "chosen", "aria-label": "Chosen images" });
    this.note = el("p", { class: "problem", role: "alert" });
    this.chooser = this.fileField({ multiple: true });
    this.camera = this.fileField({ capture: "environment" });
    this.element = el("div", { class: "drop", ondragover: (event) => this.over(event, true), ondragleave: (event) => this.over(event, false), ondrop: (event) => this.dropped(event) },
      el("div", { class: "invitation" },
        icon("upload"),
        el("p", { class: "mouse" }, el("strong", {}, "Drop JPEG or PNG images here"), el("span", { class: "soft" }, " or")),
        el("p", { class: "touch" }, el("strong", {}, "JPEG or PNG images")),
        el("div", { class: "row" },
          el("label", { class: "button" }, this.chooser, "Choose images"),
          el("label", { class: "button touch" }, this.camera, icon("camera"), "Take a photo"))),
      this.note,
      this.list);
  }

  fileField(more) {
    const field = el("input", { ...more, type: "file", class: "unseen", accept: ACCEPTED.join(","), onchange: () => this.taken(field) });
    return field;
  }

  /** Why it cannot be asked yet, or null. */
  lacking() {
    return this.images.length === 0 ? "Choose an image first." : null;
  }

  /** Where the person goes on when something is lacking. */
  focus() {
    this.chooser.focus();
  }

  /** Put an example beside what was chosen. */
  fill(example, number) {
    return this.add([imageFile(example[this.field], number)]);
  }

  /** What is entered now, as a function (version, signal) that asks a version (null: as traffic goes) and gives one outcome for each image. */
  question() {
    this.clear();
    const asked = [...this.images];
    return (version, signal) => this.ask(asked, version, signal);
  }

  async ask(asked, version, signal) {
    const form = new FormData();
    for (const image of asked) form.append("file", image.blob, image.name);
    const headers = version === null ? {} : { "x-model-version": String(version) };
    const answer = await request(`predict/${encodeURIComponent(this.model)}/image`, { method: "POST", body: form, headers, signal });
    return answer.body.predictions.map((row, place) => outcome(asked[place].name, row, { ...answer, picture: asked[place].picture }));
  }

  /** Show what the gateway found wrong, at the image it is about. Gives whether there was such an image. */
  showProblems(problems) {
    let first = null;
    for (const { field, problem } of problems) {
      const place = /^file(?:\[(\d+)\])?$/.exec(field);
      const image = place === null ? undefined : this.images[Number(place[1] ?? 0)];
      if (image === undefined) continue;
      image.problem.textContent = `${image.name} ${problem}`;
      image.item.classList.add("wrong");
      first ??= image;
    }
    first?.remove.focus();
    return first !== null;
  }

  clear() {
    this.note.textContent = "";
    for (const image of this.images) {
      image.problem.textContent = "";
      image.item.classList.remove("wrong");
    }
  }

  taken(field) {
    const files = [...field.files];
    field.value = ""; // the same file may be chosen again
    return this.add(files);
  }

  over(event, inside) {
    event.preventDefault();
    this.element.classList.toggle("over", inside);
  }

  dropped(event) {
    this.over(event, false);
    return this.add([...event.dataTransfer.files]);
  }

  async add(files) {
    this.clear();
    const fitting = files.filter((file) => ACCEPTED.includes(file.type));
    const others = files.filter((file) => !fitting.includes(file));
    const room = Math.max(0, MOST - this.images.length);
    const told = others.map((file) => `${file.name} is neither JPEG nor PNG.`);
    if (fitting.length > room) told.push(`At most ${MOST} images at once; the others were left out.`);
    for (const image of await Promise.all(fitting.slice(0, room).map(prepared))) this.show(image);
    this.note.textContent = told.join(" ");
    if (fitting.length > 0) announce(`${counted(this.images.length, "image")} chosen`);
  }

  show(image) {
    const id = newId("image");
    image.problem = el("p", { class: "problem", id });
    image.remove = el("button", { class: "button small", type: "button", "aria-describedby": id, "aria-label": `Remove ${image.name}`, onclick: () => this.remove(image) }, "Remove");
    image.item = el("li", {},
      el("img", { class: "thumb", src: image.picture, alt: "", width: 72, height: 72 }),
      el("div", { class: "grow" },
        el("p", { class: "name" }, image.name),
        el("p", { class: "soft small" }, size(image.blob.size), image.turned ? ", turned upright" : ""),
        image.problem),
      image.remove);
    this.images.push(image);
    this.list.append(image.item);
  }

  remove(image) {
    this.images = this.images.filter((other) => other !== image);
    image.item.remove();
    this.clear();
    announce(`${image.name} removed`);
    (this.images.at(-1)?.remove ?? this.chooser).focus();
  }
}

async function prepared(file) {
  const { blob, turned } = await upright(file);
  // Answers below may still show the picture of an image that was removed: it goes with the page.
  return { name: file.name || "photo.jpg", blob, turned, picture: URL.createObjectURL(blob) };
}
