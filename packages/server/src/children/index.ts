/** @file children: processes that run native code for the platform. Read in this order: child, children, child-main. */
export type { Child, ChildExit, ChildOptions, Children } from "./child.ts";
export { type ChildHandlers, childMain, type MainChannel } from "./child-main.ts";
export { type ChildrenOptions, createChildren } from "./children.ts";
export { processStart } from "./process-start.ts";
