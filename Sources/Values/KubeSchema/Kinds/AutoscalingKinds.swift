extension KubernetesKinds {
    /// Scales and autoscalers.
    static let autoscaling = """
        package autoscaling/v1 autoscaling
        kind Scale scales virtual
        column Name string name -- Name of the object.
        column Desired integer -- How many pods there shall be.
        column Available integer -- How many pods there are.
        column Age string -- Since when it exists.
        kind HorizontalPodAutoscaler horizontalpodautoscalers hpa categories=all subresources=status
        column Name string name -- Name of the autoscaler.
        column Reference string -- What is scaled.
        column Targets string -- Measured and wanted values.
        column MinPods string -- The fewest pods.
        column MaxPods string -- The most pods.
        column Replicas string -- How many pods there are.
        column Age string -- Since when it exists.

        type HorizontalPodAutoscaler -- Changes the number of pods by the CPU that they use.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 HorizontalPodAutoscalerSpec -- What is asked for.
            status 3 HorizontalPodAutoscalerStatus -- What was observed last; written by the system.

        type HorizontalPodAutoscalerSpec -- What is scaled, and by what.
            scaleTargetRef 1 CrossVersionObjectReference! -- What is scaled.
            minReplicas 2 int32? -- The fewest pods; 1 by default.
            maxReplicas 3 int32! -- The most pods.
            targetCPUUtilizationPercentage 4 int32? -- CPU of the pods that is aimed at, in percent of what they request.

        type CrossVersionObjectReference -- An object in the same namespace.
            kind 1 string! -- Kind of the object that is meant.
            name 2 string! -- Name of the object that is meant.
            apiVersion 3 string -- API version of the object that is meant.

        type HorizontalPodAutoscalerStatus -- What was observed of an autoscaler.
            observedGeneration 1 int64? -- The generation that the status was made from.
            lastScaleTime 2 time? -- When the number was changed last.
            currentReplicas 3 int32! -- How many pods there are.
            desiredReplicas 4 int32! -- How many pods there should be.
            currentCPUUtilizationPercentage 5 int32? -- CPU of the pods, in percent of what they request.

        type Scale -- How many pods there shall be, of any kind that can be scaled.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 ScaleSpec -- What is asked for.
            status 3 ScaleStatus -- What was observed last; written by the system.

        type ScaleSpec -- How many pods there shall be.
            replicas 1 int32 -- How many pods there shall be, or are.

        type ScaleStatus -- How many pods there are.
            replicas 1 int32! -- How many pods there shall be, or are.
            selector 2 string -- The pods, as the text of a label selector.

        package autoscaling/v2 autoscaling
        kind HorizontalPodAutoscaler horizontalpodautoscalers hpa categories=all subresources=status
        column Name string name -- Name of the autoscaler.
        column Reference string -- What is scaled.
        column Targets string -- Measured and wanted values.
        column MinPods string -- The fewest pods.
        column MaxPods string -- The most pods.
        column Replicas string -- How many pods there are.
        column Age string -- Since when it exists.

        type HorizontalPodAutoscaler -- Changes the number of pods by metrics.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 HorizontalPodAutoscalerSpec -- What is asked for.
            status 3 HorizontalPodAutoscalerStatus -- What was observed last; written by the system.

        type HorizontalPodAutoscalerSpec -- What is scaled, and by what.
            scaleTargetRef 1 CrossVersionObjectReference! -- What is scaled.
            minReplicas 2 int32? -- The fewest pods; 1 by default.
            maxReplicas 3 int32! -- The most pods.
            metrics 4 [MetricSpec] atomic -- What the number of pods is worked out from; the largest result counts.
            behavior 5 HorizontalPodAutoscalerBehavior? -- How fast the number may change.

        type CrossVersionObjectReference -- An object in the same namespace.
            kind 1 string! -- Kind of the object that is meant.
            name 2 string! -- Name of the object that is meant.
            apiVersion 3 string -- API version of the object that is meant.

        type MetricSpec -- A metric that decides about the number of pods.
            type 1 string! -- Object, Pods, Resource, ContainerResource or External.
            object 2 ObjectMetricSource? -- A metric of one object.
            pods 3 PodsMetricSource? -- A metric of the pods, as an average.
            resource 4 ResourceMetricSource? -- CPU or memory of the pods.
            containerResource 7 ContainerResourceMetricSource? -- CPU or memory of one container of the pods.
            external 5 ExternalMetricSource? -- A metric of something outside.

        type ObjectMetricSource -- A metric of one object.
            describedObject 1 CrossVersionObjectReference! -- The object that the metric describes.
            target 2 MetricTarget! -- The value that is aimed at.
            metric 3 MetricIdentifier! -- The metric that is meant.

        type MetricTarget -- What value is aimed at.
            type 1 string! -- Utilization, Value or AverageValue.
            value 2 quantity? -- The value.
            averageValue 3 quantity? -- Average over the pods.
            averageUtilization 4 int32? -- Average over the pods, in percent of what they request.

        type MetricIdentifier -- A metric, by name and labels.
            name 1 string! -- Name of the metric.
            selector 2 LabelSelector? -- Labels of the metric.

        type PodsMetricSource -- A metric of the pods.
            metric 1 MetricIdentifier! -- The metric that is meant.
            target 2 MetricTarget! -- The value that is aimed at.

        type ResourceMetricSource -- CPU or memory of the pods.
            name 1 string! -- Name of the resource.
            target 2 MetricTarget! -- The value that is aimed at.

        type ContainerResourceMetricSource -- CPU or memory of one container of the pods.
            name 1 string! -- Name of the resource.
            target 2 MetricTarget! -- The value that is aimed at.
            container 3 string! -- Name of the container.

        type ExternalMetricSource -- A metric of something outside.
            metric 1 MetricIdentifier! -- The metric that is meant.
            target 2 MetricTarget! -- The value that is aimed at.

        type HorizontalPodAutoscalerBehavior -- How fast the number of pods may change.
            scaleUp 1 HPAScalingRules? -- When it grows.
            scaleDown 2 HPAScalingRules? -- When it shrinks.

        type HPAScalingRules -- How fast the number of pods may change in one direction.
            stabilizationWindowSeconds 3 int32? -- How long back earlier results are looked at.
            selectPolicy 1 string? -- Max, Min or Disabled.
            policies 2 [HPAScalingPolicy] atomic -- The policies, of which one decides.
            tolerance 4 quantity? -- How far from the target nothing is changed.

        type HPAScalingPolicy -- How many pods may be changed in some time.
            type 1 string! -- Pods or Percent.
            value 2 int32! -- How many.
            periodSeconds 3 int32! -- In which time.

        type HorizontalPodAutoscalerStatus -- What was observed of an autoscaler.
            observedGeneration 1 int64? -- The generation that the status was made from.
            lastScaleTime 2 time? -- When the number was changed last.
            currentReplicas 3 int32 -- How many pods there are.
            desiredReplicas 4 int32! -- How many pods there should be.
            currentMetrics 5 [MetricStatus] atomic -- The metrics as they were measured last.
            conditions 6 [HorizontalPodAutoscalerCondition] map=type merge=type -- What is known about the state, \
                  one entry for each type of condition.

        type MetricStatus -- A metric as it was measured last.
            type 1 string! -- Object, Pods, Resource, ContainerResource or External.
            object 2 ObjectMetricStatus? -- A metric of one object.
            pods 3 PodsMetricStatus? -- A metric of the pods, as an average.
            resource 4 ResourceMetricStatus? -- CPU or memory of the pods.
            containerResource 7 ContainerResourceMetricStatus? -- CPU or memory of one container of the pods.
            external 5 ExternalMetricStatus? -- A metric of something outside.

        type ObjectMetricStatus -- A metric of one object, measured.
            metric 1 MetricIdentifier! -- The metric that is meant.
            current 2 MetricValueStatus! -- The value that was measured.
            describedObject 3 CrossVersionObjectReference! -- The object that the metric describes.

        type MetricValueStatus -- A value that was measured.
            value 1 quantity? -- The value.
            averageValue 2 quantity? -- Average over the pods.
            averageUtilization 3 int32? -- Average over the pods, in percent of what they request.

        type PodsMetricStatus -- A metric of the pods, measured.
            metric 1 MetricIdentifier! -- The metric that is meant.
            current 2 MetricValueStatus! -- The value that was measured.

        type ResourceMetricStatus -- CPU or memory of the pods, measured.
            name 1 string! -- Name of the resource.
            current 2 MetricValueStatus! -- The value that was measured.

        type ContainerResourceMetricStatus -- CPU or memory of one container, measured.
            name 1 string! -- Name of the resource.
            current 2 MetricValueStatus! -- The value that was measured.
            container 3 string! -- Name of the container.

        type ExternalMetricStatus -- A metric of something outside, measured.
            metric 1 MetricIdentifier! -- The metric that is meant.
            current 2 MetricValueStatus! -- The value that was measured.

        type HorizontalPodAutoscalerCondition -- What is known about an autoscaler.
            type 1 string! -- Which type it is.
            status 2 string! -- What was observed last; written by the system.
            lastTransitionTime 3 time -- When the status changed last.
            reason 4 string -- A short cause in one word, for programs.
            message 5 string -- What happened, for people.
            observedGeneration 6 int64? -- The generation that the status was made from.
        """
}
