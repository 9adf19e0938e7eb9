// A generator in the page: reads the file that ships, and turns a code into a picture by the arithmetic of
// perturbations/generator_network.py. uapMaker(address) gives { shape, labels, make(code) }, make an array (colours, H, W).
globalThis.uapMaker = (() => {
  const EPSILON = 1e-5, known = new Map();

  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
    if (!power) return sign * rest * 2 ** -24;
    return sign * (1 + rest / 1024) * 2 ** (power - 15);
  }

  function read(bytes) {
    const length = Number(new DataView(bytes).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
    const tensor = (name) => {
      const [from, to] = header[name].data_offsets;
      return Float32Array.from(new Uint16Array(bytes.slice(8 + length + from, 8 + length + to)), half);
    };
    const told = header.__metadata__;
    return build(JSON.parse(told.shape), JSON.parse(told.labels ?? "[]"), tensor("weights"), tensor("statistics"));
  }

  // Kernels (in, out, k, k), with each normalisation as a factor and an offset a channel.
  function build(shape, labels, weights, statistics) {
    const side = Math.floor(Math.max(shape.height, shape.width) / shape.tiles);
    const doublings = Math.min(4, Math.max(1, Math.floor(Math.log2(Math.max(2, side / 4)))));
    const first = [shape.height, shape.width].map((s) => Math.ceil(Math.floor(s / shape.tiles) / 2 ** doublings));
    const widths = [...Array.from({ length: doublings }, (_, i) => shape.channels * 2 ** (doublings - 1 - i)), shape.colours];
    const sizes = [[shape.code, widths[0], ...first], ...widths.slice(1).map((out, i) => [widths[i], out, 4, 4])];
    let at = 0, seen = 0;
    const layers = sizes.map(([ins, outs, high, wide]) => {
      const kernel = weights.subarray(at, (at += ins * outs * high * wide));
      return { ins, outs, high, wide, kernel };
    });
    for (const layer of layers.slice(0, -1)) {
      const n = layer.outs, gain = weights.subarray(at, at + n), bias = weights.subarray(at + n, (at += 2 * n));
      const mean = statistics.subarray(seen, seen + n), spread = statistics.subarray(seen + n, (seen += 2 * n));
      layer.factor = gain.map((g, c) => g / Math.sqrt(spread[c] + EPSILON));
      layer.offset = bias.map((b, c) => b - mean[c] * layer.factor[c]);
    }
    return { shape, labels, make: (code) => make(shape, layers, code) };
  }

  function make(shape, layers, code) {
    let x = Float32Array.from(code), height = 1, width = 1;
    for (const [depth, layer] of layers.entries()) {
      const stride = depth ? 2 : 1, pad = depth ? 1 : 0;
      const h = depth ? 2 * height : layer.high, w = depth ? 2 * width : layer.wide;
      const y = new Float32Array(layer.outs * h * w);
      for (let i = 0; i < layer.ins; i++) {
        for (let r = 0; r < height; r++) {
          for (let c = 0; c < width; c++) {
            const value = x[(i * height + r) * width + c];
            if (!value) continue; // half of them, behind a ReLU
            for (let o = 0; o < layer.outs; o++) {
              const kernel = (i * layer.outs + o) * layer.high * layer.wide;
              for (let a = 0; a < layer.high; a++) {
                const row = r * stride - pad + a;
                if (row < 0 || row >= h) continue;
                for (let b = 0; b < layer.wide; b++) {
                  const column = c * stride - pad + b;
                  if (column >= 0 && column < w) y[(o * h + row) * w + column] += value * layer.kernel[kernel + a * layer.wide + b];
                }
              }
            }
          }
        }
      }
      if (layer.factor) {
        for (let o = 0, k = 0; o < layer.outs; o++) {
          for (let n = 0; n < h * w; n++, k++) y[k] = Math.max(0, y[k] * layer.factor[o] + layer.offset[o]);
        }
      }
      [x, height, width] = [y, h, w];
    }
    return tiled(shape, x, height, width);
  }

  function tiled(shape, x, height, width) {
    const out = new Float32Array(shape.colours * shape.height * shape.width);
    const high = shape.height / shape.tiles, wide = shape.width / shape.tiles;
    for (let c = 0, k = 0; c < shape.colours; c++) {
      for (let r = 0; r < shape.height; r++) {
        for (let q = 0; q < shape.width; q++, k++) out[k] = x[(c * height + (r % high)) * width + (q % wide)];
      }
    }
    return out;
  }

  async function fetched(address) {
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`${answer.status} ${address}`);
      return read(await answer.arrayBuffer());
    } catch (error) {
      known.delete(address); // asked for again, it is fetched again
      throw error;
    }
  }

  const load = (address) => {
    if (!known.has(address)) known.set(address, fetched(address));
    return known.get(address);
  };
  return Object.assign(load, { read });
})();
