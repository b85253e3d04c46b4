// Pictures on their way into a message: from the clipboard, a drop or the file button, made small enough to send.

import { element, icon } from "./dom.js";

export const KINDS = ["image/png", "image/jpeg", "image/gif", "image/webp"];
export const MOST = 8;
const LARGEST_SIDE = 2048;
const LARGEST_BYTES = 1_000_000;

/** `{name, data}` of a file, `data` a `data:` address. Throws Error with a sentence for people. */
export async function read(file) {
  if (!KINDS.includes(file.type)) throw new Error(`“${file.name}” is no picture that can be sent (PNG, JPEG, GIF, WebP).`);
  const small = file.type === "image/gif" ? file : await shrunk(file);
  return { name: file.name.slice(0, 200) || "picture", data: await dataAddress(small) };
}

/** The picture behind an address of this gateway, ready to be sent again. */
export async function fetched({ name, url }) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`“${name}” is not there any more.`);
  return { name, data: await dataAddress(await response.blob()) };
}

async function shrunk(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(`“${file.name}” cannot be read as a picture.`);
  }
  const scale = Math.min(1, LARGEST_SIDE / Math.max(picture.width, picture.height));
  if (scale === 1 && file.size <= LARGEST_BYTES) return file;
  const canvas = element("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/webp", 0.85));
}

function dataAddress(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(new Error("The picture cannot be read."));
    reader.readAsDataURL(blob);
  });
}

/** Shows the pictures that wait to be sent, each with a button that takes it out. */
export function show(list, pictures, remove) {
  list.hidden = pictures.length === 0;
  list.replaceChildren(
    ...pictures.map((picture, n) => {
      const label = `Remove ${picture.name}`;
      const button = element("button", { type: "button", "aria-label": label, onclick: () => remove(n) }, icon("close"));
      return element("li", {}, element("img", { src: picture.data, alt: picture.name }), button);
    }),
  );
}
