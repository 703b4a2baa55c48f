/** @file Package tarballs made in tests, honest and hostile, and a registry on loopback that serves them. */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Header, type HeaderData } from "tar";

/** An entry as it is written, however hostile. */
export interface TarEntry extends HeaderData {
  readonly path: string;
  readonly content?: Uint8Array | string;
}

/** A gzipped tar of exactly these entries. */
export function tarball(entries: readonly TarEntry[]): Buffer {
  const blocks: Uint8Array[] = [];
  for (const { content = "", ...data } of entries) {
    const bytes = Buffer.from(content);
    const header = new Header({ type: "File", mode: 0o644, mtime: new Date(0), size: bytes.length, ...data });
    const block = Buffer.alloc(512);
    header.encode(block);
    blocks.push(block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A package as npm packs it. */
export function packageTarball(name: string, version: string, files: Readonly<Record<string, Uint8Array>>): Buffer {
  return tarball([
    { path: "package/package.json", content: JSON.stringify({ name, version }) },
    ...Object.entries(files).map(([path, content]) => ({ path: `package/${path}`, content })),
  ]);
}

/** A registry with one version of one package. */
export interface Registry {
  readonly url: string;
  /** Paths asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Serves the package's document and its tarball, as the npm registry does. */
export async function openRegistry(name: string, version: string, archive: Buffer): Promise<Registry> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const { port } = server.address() as AddressInfo;
    if (request.url === `/${name}/-/${name}-${version}.tgz`) return void response.end(archive);
    if (request.url !== `/${name}`) return void response.writeHead(404).end(JSON.stringify({ error: "not found" }));
    const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
    const dist = { tarball: `http://localhost:${port}/${name}/-/${name}-${version}.tgz`, integrity };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ name, "dist-tags": { latest: version }, versions: { [version]: { name, version, dist } } }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
