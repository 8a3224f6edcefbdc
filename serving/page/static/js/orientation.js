// Photos as their owner sees them, and without what a phone noted beside the pixels (EXIF, XMP: the place among it). A turn is noted there
// too: browsers make it and models do not, so a photo that needs one is drawn anew, upright, before it is sent.

const QUALITY = 0.95;
const NOTES = 0xffe1;
const SCAN = 0xffda;

/** What to send for a chosen file: {blob, turned}. A file that is no picture stays as it is; the gateway says what it thinks of it. */
export async function upright(file) {
  const bytes = new DataView(await file.arrayBuffer());
  const plain = { blob: of(file, unnoted(bytes)), turned: false };
  if (orientation(bytes) <= 1) return plain;
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    const blob = await new Promise((made) => canvas.toBlob(made, "image/jpeg", QUALITY));
    return blob === null ? plain : { blob, turned: true };
  } catch {
    return plain;
  }
}

function of(file, parts) {
  return parts.length === 1 ? file : new Blob(parts.map(([start, end]) => file.slice(start, end)), { type: file.type });
}

/** The parts [start, end] of a JPEG that are no notes; of anything else the whole. Pixels stay as they are, byte for byte. */
export function unnoted(bytes) {
  const parts = [];
  let from = 0;
  for (const { marker, start, end } of segments(bytes)) {
    if (marker !== NOTES) continue;
    parts.push([from, start]);
    from = end;
  }
  return [...parts, [from, bytes.byteLength]];
}

/** The orientation tag of a JPEG, 1 to 8; 0 where there is none. */
export function orientation(bytes) {
  for (const { marker, start, end } of segments(bytes)) {
    if (marker === NOTES && start + 18 <= end && bytes.getUint32(start + 4) === 0x45786966) return fromTiff(bytes, start + 10, end);
  }
  return 0;
}

/** What stands before a JPEG's pixels: {marker, start, end} of each segment. */
function* segments(bytes) {
  if (bytes.byteLength < 4 || bytes.getUint16(0) !== 0xffd8) return;
  let at = 2;
  while (at + 4 <= bytes.byteLength) {
    const marker = bytes.getUint16(at);
    if (marker === 0xffff) {
      at += 1; // a marker may have bytes before it that only fill
      continue;
    }
    if (marker < 0xff00 || marker === SCAN) return;
    const end = at + 2 + bytes.getUint16(at + 2);
    yield { marker, start: at, end: Math.min(end, bytes.byteLength) };
    at = end;
  }
}

function fromTiff(bytes, start, last) {
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
