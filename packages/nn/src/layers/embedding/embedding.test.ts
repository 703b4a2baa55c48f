import { describeLayer } from "../../testing/describe-layer.ts";
import { embedding } from "./embedding.ts";
import { learnedPositions } from "./learned-positions.ts";
import { positionEmbedding } from "./position-embedding.ts";
import { reversibleEmbedding } from "./reversible-embedding.ts";
import { sinePositionEncoding } from "./sine-position-encoding.ts";
import { sinusoidalPositions } from "./sinusoidal-positions.ts";
import { tokenAndPositionEmbedding } from "./token-and-position-embedding.ts";

describeLayer("embedding", [
  {
    name: "of sequences",
    make: () => embedding(5, 3),
    input: [6],
    output: [6, 3],
    weights: { embeddings: [5, 3] },
    tokens: 5,
    anyLength: [0],
  },
  {
    name: "of single numbers, regularized",
    make: () => embedding(5, 3, { embeddingsRegularizer: "l2", embeddingsInitializer: "glorotUniform" }),
    input: [],
    output: [3],
    weights: { embeddings: [5, 3] },
    tokens: 5,
  },
]);

describeLayer("reversibleEmbedding", [
  {
    name: "forth",
    make: () => reversibleEmbedding(5, 3),
    input: [6],
    output: [6, 3],
    weights: { embeddings: [5, 3] },
    tokens: 5,
    wrongInput: [2, 4],
  },
  {
    name: "back",
    make: () => reversibleEmbedding(5, 3),
    input: [6, 3],
    output: [6, 5],
    weights: { embeddings: [5, 3] },
    anyLength: [0],
    wrongInput: [],
  },
]);

describeLayer("sinusoidalPositions", [
  {
    name: "even width",
    make: () => sinusoidalPositions(),
    input: [5, 4],
    output: [5, 4],
    anyLength: [0],
    wrongInput: [4],
  },
  { name: "odd width", make: () => sinusoidalPositions({ maxWavelength: 50 }), input: [5, 3], output: [5, 3] },
]);

describeLayer("sinePositionEncoding", [
  {
    name: "even width",
    make: () => sinePositionEncoding(),
    input: [5, 4],
    output: [5, 4],
    anyLength: [0],
    wrongInput: [4],
  },
]);

const table = { embeddings: [6, 4] };
describeLayer("learnedPositions", [
  {
    name: "fewer steps than rows",
    make: () => learnedPositions(6),
    input: [5, 4],
    output: [5, 4],
    weights: table,
    anyLength: [0],
    wrongInput: [7, 4],
  },
]);

describeLayer("positionEmbedding", [
  {
    name: "as many steps as rows",
    make: () => positionEmbedding(6),
    input: [6, 4],
    output: [6, 4],
    weights: table,
    anyLength: [0],
    wrongInput: [7, 4],
  },
]);

describeLayer("tokenAndPositionEmbedding", [
  {
    name: "of sequences",
    make: () => tokenAndPositionEmbedding({ vocabularySize: 7, sequenceLength: 6, embeddingDim: 4 }),
    input: [5],
    output: [5, 4],
    weights: { "token_embedding/embeddings": [7, 4], "position_embedding/embeddings": [6, 4] },
    tokens: 7,
    anyLength: [0],
    wrongInput: [7],
  },
]);
