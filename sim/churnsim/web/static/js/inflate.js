// Unpacking deflated bytes (RFC 1951), for pages that are opened from a file in browsers of any age.

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const FAR = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const FAR_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function codes(lengths) {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length] += 1;
  counts[0] = 0;
  const starts = new Uint16Array(16);
  for (let k = 1; k < 16; k += 1) starts[k] = starts[k - 1] + counts[k - 1];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length) symbols[starts[length]++] = symbol;
  });
  return { counts, symbols };
}

export function inflate(packed, size) {
  const out = new Uint8Array(size);
  let at = 0;
  let from = 0;
  let held = 0;
  let count = 0;
  const bits = (wanted) => {
    while (count < wanted) {
      held |= packed[from++] << count;
      count += 8;
    }
    const value = held & ((1 << wanted) - 1);
    held >>>= wanted;
    count -= wanted;
    return value;
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; length += 1) {
      code |= bits(1);
      const here = counts[length];
      if (code - first < here) return symbols[index + code - first];
      index += here;
      first = (first + here) << 1;
      code <<= 1;
    }
    throw new Error("damaged data");
  };
  const block = (literal, distance) => {
    for (;;) {
      const found = symbol(literal);
      if (found < 256) out[at++] = found;
      else if (found === 256) return;
      else {
        const length = LENGTHS[found - 257] + bits(LENGTH_BITS[found - 257]);
        const far = symbol(distance);
        const back = FAR[far] + bits(FAR_BITS[far]);
        for (let k = 0; k < length; k += 1, at += 1) out[at] = out[at - back];
      }
    }
  };
  const dynamic = () => {
    const literals = bits(5) + 257;
    const distances = bits(5) + 1;
    const given = bits(4) + 4;
    const lengths = new Uint8Array(19);
    for (let k = 0; k < given; k += 1) lengths[ORDER[k]] = bits(3);
    const meta = codes([...lengths]);
    const all = [];
    while (all.length < literals + distances) {
      const found = symbol(meta);
      if (found < 16) all.push(found);
      else {
        const last = found === 16 ? all[all.length - 1] : 0;
        const times = found === 16 ? 3 + bits(2) : found === 17 ? 3 + bits(3) : 11 + bits(7);
        for (let k = 0; k < times; k += 1) all.push(last);
      }
    }
    block(codes(all.slice(0, literals)), codes(all.slice(literals)));
  };
  for (;;) {
    const last = bits(1);
    const kind = bits(2);
    if (kind === 0) {
      held = 0;
      count = 0;
      const length = packed[from] | (packed[from + 1] << 8);
      from += 4;
      for (let k = 0; k < length; k += 1) out[at++] = packed[from++];
    } else if (kind === 1) {
      const fixed = Array.from({ length: 288 }, (_, k) => (k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8));
      block(codes(fixed), codes(new Array(30).fill(5)));
    } else dynamic();
    if (last) return out;
  }
}
