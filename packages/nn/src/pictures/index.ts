/** @file Pictures as SVG: curves of a training, confusion matrices, networks. */
export { type Curve, type CurvePlotOptions, curvePlot } from "./curve-plot.ts";
export type { PictureEdge, PictureGraph, PictureNode } from "./graph/description.ts";
export { type GraphPictureOptions, graphPicture } from "./graph/graph-picture.ts";
export { type MatrixPlotOptions, matrixPlot } from "./matrix-plot.ts";
