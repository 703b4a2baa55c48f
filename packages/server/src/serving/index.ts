/** @file serving: deployments, their revisions and replicas. Read in this order: deployments, service, rollout, replica-set, replica-slot, replica/main. */
export type {
  Answered,
  CallOptions,
  CallTimings,
  ClassifyResult,
  Deployments,
  DescribedDeployment,
  InferCall,
  InferResult,
  Served,
} from "./deployments.ts";
