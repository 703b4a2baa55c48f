/** The import arrows of docs/architecture.md. `npm run check` holds them. */
const packages = ["contract", "gguf", "onnx", "nn", "engine", "server", "sdk", "cli"];
/** Who may import whom, among our own packages. */
const arrows = {
  contract: [],
  gguf: [],
  onnx: [],
  nn: ["gguf", "onnx"],
  engine: ["gguf", "onnx"],
  sdk: ["contract"],
  cli: ["contract", "sdk"],
  server: ["contract", "gguf", "onnx", "nn", "engine"],
};
/** Libraries that one file alone may import, so that each can be replaced by changing one file. */
const oneHome = {
  "onnxruntime-(node|common)": "^packages/onnx/src/session/runtime\\.ts$",
  protobufjs: "^packages/onnx/src/format/",
  "node-llama-cpp": "^packages/engine/src/llama/",
  "@huggingface/jinja": "^packages/engine/src/chat/",
  pg: "^packages/server/src/db/",
  sharp: "^packages/server/src/serving/replica/",
  undici: "^packages/server/src/net/",
  nodemailer: "^packages/server/src/notifications/",
  "openid-client": "^packages/server/src/sign-in/",
  "hyparquet-writer": "^packages/server/src/events/",
};
/** From the ground up: a feature may use those of lower layers, and within its own layer none. */
const layers = [
  ["audit", "identity", "idempotency", "metering", "notifications"],
  ["sign-in", "limits", "billing", "events", "storage"],
  ["budgets", "data", "models"],
  ["training", "serving"],
  ["services"],
];
const features = layers.flat();

export default {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphan-dependency", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "only-declared-packages",
      comment: "a hoisted package that the workspace does not declare breaks when installed alone",
      severity: "error",
      from: { path: "^packages/", pathNot: "\\.(test|conformance|bench)\\.ts$|/testing/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"] },
    },
    ...packages.map((name) => ({
      name: `arrow-${name}`,
      severity: "error",
      from: { path: `^packages/${name}/` },
      to: {
        path: "^packages/([^/]+)/",
        pathNot: [name, ...arrows[name]].map((other) => `^packages/${other}/`),
      },
    })),
    {
      name: "public-face-only",
      comment: "another package is entered by its index.ts",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^packages/([^/]+)/src/(?!index\\.ts$)", pathNot: "^packages/$1/" },
    },
    ...Object.entries(oneHome).map(([library, home]) => ({
      name: `one-home-${library}`,
      severity: "error",
      from: { pathNot: `${home}|\\.test\\.ts$|/testing/` },
      to: { path: `node_modules/(@types/)?${library}/` },
    })),
    {
      name: "feature-face-only",
      comment:
        "a feature of the server is entered by its index.ts; only the composition root and migrations see inside",
      severity: "error",
      from: { path: "^packages/server/src/([^/]+)/", pathNot: "\\.test\\.ts$|/testing/" },
      to: {
        path: `^packages/server/src/(${features.join("|")})/(?!index\\.ts$)`,
        pathNot: "^packages/server/src/$1/",
      },
    },
    {
      name: "ground-knows-no-feature",
      severity: "error",
      from: { path: "^packages/server/src/(db|children|objects|telemetry|net|secrets)/" },
      to: { path: `^packages/server/src/(${features.join("|")}|http)/` },
    },
    {
      name: "nothing-uses-services",
      severity: "error",
      from: { path: "^packages/server/src/(?!features\\.ts|services/)" },
      to: { path: "^packages/server/src/services/" },
    },
    ...layers.map((layer, height) => ({
      name: `layer-${height}`,
      severity: "error",
      from: { path: `^packages/server/src/(${layer.join("|")})/`, pathNot: "\\.test\\.ts$|/testing/" },
      to: {
        path: `^packages/server/src/(${layers.slice(height).flat().join("|")})/`,
        pathNot: "^packages/server/src/$1/",
      },
    })),
    {
      name: "store-calls-no-service",
      severity: "error",
      from: { path: "/store\\.ts$" },
      to: { path: "/(service|routes)\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
