// Photos as their owner sees them. Phones note a turn beside the pixels (EXIF); browsers make it and models do not, so a photo that needs
// one is drawn anew, upright, before it is sent.

const HEAD_BYTES = 256 * 1024;
const QUALITY = 0.95;

/** What to send for a chosen file: {blob, turned}. A file that is no picture stays as it is; the gateway says what it thinks of it. */
export async function upright(file) {
  const head = new DataView(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (orientation(head) <= 1) return { blob: file, turned: false };
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    const blob = await new Promise((made) => canvas.toBlob(made, "image/jpeg", QUALITY));
    return blob === null ? { blob: file, turned: false } : { blob, turned: true };
  } catch {
    return { blob: file, turned: false };
  }
}

/** The orientation tag of a JPEG's first bytes, 1 to 8; 0 where there is none. */
export function orientation(bytes) {
  if (bytes.byteLength < 4 || bytes.getUint16(0) !== 0xffd8) return 0;
  let at = 2;
  while (at + 4 <= bytes.byteLength) {
    const marker = bytes.getUint16(at);
    if ((marker & 0xff00) !== 0xff00 || marker === 0xffda) return 0;
    const length = bytes.getUint16(at + 2);
    if (marker === 0xffe1 && at + 18 <= bytes.byteLength && bytes.getUint32(at + 4) === 0x45786966) return fromTiff(bytes, at + 10, at + 2 + length);
    at += 2 + length;
  }
  return 0;
}

function fromTiff(bytes, start, end) {
  const last = Math.min(end, bytes.byteLength);
  const little = bytes.getUint16(start) === 0x4949;
  const directory = start + bytes.getUint32(start + 4, little);
  if (directory + 2 > last) return 0;
  const entries = bytes.getUint16(directory, little);
  for (let number = 0; number < entries; number += 1) {
    const entry = directory + 2 + number * 12;
    if (entry + 12 > last) return 0;
    if (bytes.getUint16(entry, little) === 0x0112) {
      const turn = bytes.getUint16(entry + 8, little);
      return turn >= 1 && turn <= 8 ? turn : 0;
    }
  }
  return 0;
}
