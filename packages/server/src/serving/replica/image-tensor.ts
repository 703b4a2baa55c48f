/** @file Bytes of an image file become a model's input. The only import of sharp, loaded when a replica needs it. */
import type { ImageClassification } from "@gristmill/contract";
import { type Tensor, tensor } from "@gristmill/onnx";
import { ImageError } from "./failure.ts";
import { decodedKinds, imageKind } from "./image-kind.ts";

/** Width times height of an image that is decoded: 64 megapixels, 192 MiB of RGB. */
export const pixelLimit = 2 ** 26;

/** Decodes and fits images to one model. */
export type ImageReader = (image: Uint8Array) => Promise<Tensor<"float32">>;

/**
 * Loads the decoder.
 *
 * The image is turned upright (EXIF), its transparency laid on black, stretched to the model's height and width
 * (bilinear, aspect not kept: as Keras' `image_dataset_from_directory` does), made gray for 1 channel or sRGB for 3, and
 * its bytes 0..255 multiplied by `scale`. An image that already has the size and channels is not resampled: its
 * bytes arrive as they are.
 *
 * - Shapes: [1, height, width, channels].
 * - Errors: `ImageError` with `image.unreadable` or `image.too_large`.
 */
export async function createImageReader(task: ImageClassification): Promise<ImageReader> {
  const { default: sharp } = await import("sharp");
  // One image at a time makes better use of a core than threads within it; caching keeps what is never asked for again.
  sharp.concurrency(1);
  sharp.cache(false);
  // Even bytes that pass for a PNG reach no other decoder of the library.
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: ["VipsForeignLoadPng", "VipsForeignLoadJpeg", "VipsForeignLoadWebp"] });
  const { height, width, channels, scale } = task;
  return async (image) => {
    const kind = imageKind(image);
    if (typeof kind === "object")
      throw new ImageError("image.unreadable", `Expected ${decodedKinds.join(", ")}, received ${kind.other}.`);
    try {
      const header = await sharp(image, { limitInputPixels: false }).metadata();
      checkSize(header.width, header.height);
      const upright = sharp(image, { limitInputPixels: pixelLimit, failOn: "error" }).autoOrient();
      const sized = upright
        .flatten({ background: "#000000" })
        .resize({ width, height, fit: "fill", kernel: "linear", fastShrinkOnLoad: false });
      const coloured = channels === 1 ? sized.grayscale().toColourspace("b-w") : sized.toColourspace("srgb");
      const { data, info } = await coloured.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
      if (info.channels !== channels)
        throw new ImageError("image.unreadable", `Expected ${channels} channels, received ${info.channels}.`);
      return tensor(
        "float32",
        [1, height, width, channels],
        Float32Array.from(data, (byte) => byte * scale),
      );
    } catch (error) {
      if (error instanceof ImageError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ImageError("image.unreadable", `The ${kind} image can't be decoded: ${reason}`);
    }
  };
}

function checkSize(width: number, height: number): void {
  if (width * height > pixelLimit)
    throw new ImageError(
      "image.too_large",
      `Expected at most ${pixelLimit} pixels, received ${width} x ${height} = ${width * height}.`,
      { width, height, limit_pixels: pixelLimit },
    );
}
