import JSON
import KubeObjects
import KubeSchema
import TestKit
import Testing

@testable import KubeAPI

/// Autoscalers in both of their versions.
@Suite(.timeLimit(.minutes(2)))
struct AutoscalerVersionTests {
    private let older = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    private let newer = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"

    private func spec(_ more: JSONValue) -> JSONValue {
        var spec: JSONValue = [
            "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"], "maxReplicas": 5,
        ]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        return spec
    }

    private func autoscaler(_ version: String, _ more: JSONValue) -> JSONValue {
        [
            "apiVersion": .string("autoscaling/" + version), "kind": "HorizontalPodAutoscaler",
            "metadata": ["name": "web"], "spec": spec(more),
        ]
    }

    @Test func `an autoscaler of the old version is one of the new version`() async throws {
        let door = try await Door()
        let made = await door.send("POST", older, autoscaler("v1", ["targetCPUUtilizationPercentage": 50]))
        #expect(made.status == 201, "\(made.text)")
        #expect(made.json["apiVersion"] == "autoscaling/v1")
        #expect(made.json["spec", "targetCPUUtilizationPercentage"] == 50 && made.json["spec", "minReplicas"] == 1)
        let seen = await door.send("GET", newer + "/web").json
        #expect(seen["apiVersion"] == "autoscaling/v2")
        #expect(
            seen["spec", "metrics"] == [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 50]],
                ]
            ])
        let patched = await door.send(
            "PATCH", older + "/web", "{\"spec\":{\"targetCPUUtilizationPercentage\":70}}",
            type: "application/strategic-merge-patch+json")
        #expect(patched.json["spec", "targetCPUUtilizationPercentage"] == 70, "\(patched.text)")
        let applied = await door.send(
            "PATCH", older + "/web?fieldManager=m&force=true", autoscaler("v1", ["targetCPUUtilizationPercentage": 60]),
            type: "application/apply-patch+yaml")
        #expect(applied.json["spec", "targetCPUUtilizationPercentage"] == 60, "\(applied.text)")
        let target = await door.send("GET", newer + "/web").json["spec", "metrics"]?[0]?["resource", "target"]
        #expect(target?["averageUtilization"] == 60)
        let list = await door.send("GET", older)
        #expect(list.json["items"]?[0]?["spec", "targetCPUUtilizationPercentage"] == 60)
        let table = await door.send(
            "GET", older, headers: ["accept": "application/json;as=Table;v=v1;g=meta.k8s.io"])
        #expect(table.json["rows"]?[0]?["cells"]?[2] == "cpu: <unknown>/60%", "\(table.text)")
        await door.close()
    }

    @Test func `an autoscaler survives both versions`() async throws {
        let door = try await Door()
        let behavior: JSONValue = [
            "scaleDown": [
                "stabilizationWindowSeconds": 5, "selectPolicy": "Max",
                "policies": [["type": "Percent", "value": 100, "periodSeconds": 15]],
            ],
            "scaleUp": [
                "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
                "policies": [["type": "Pods", "value": 4, "periodSeconds": 15]],
            ],
        ]
        let service: JSONValue = ["kind": "Service", "name": "web", "apiVersion": "v1"]
        let metrics: JSONValue = [
            [
                "type": "Pods",
                "pods": ["metric": ["name": "concurrency"], "target": ["type": "AverageValue", "averageValue": "3"]],
            ],
            [
                "type": "Object",
                "object": [
                    "describedObject": service, "metric": ["name": "rps", "selector": ["matchLabels": ["a": "b"]]],
                    "target": ["type": "Value", "value": "10"],
                ],
            ],
            [
                "type": "Object",
                "object": [
                    "describedObject": service, "metric": ["name": "rps"],
                    "target": ["type": "AverageValue", "averageValue": "10"],
                ],
            ],
            [
                "type": "ContainerResource",
                "containerResource": [
                    "name": "cpu", "container": "m", "target": ["type": "Utilization", "averageUtilization": 40],
                ],
            ],
            [
                "type": "External",
                "external": ["metric": ["name": "q"], "target": ["type": "AverageValue", "averageValue": "2"]],
            ],
            [
                "type": "Resource",
                "resource": ["name": "memory", "target": ["type": "AverageValue", "averageValue": "1Gi"]],
            ],
        ]
        let made = await door.send(
            "POST", newer, autoscaler("v2", ["metrics": metrics, "behavior": behavior, "minReplicas": 2]))
        #expect(made.status == 201, "\(made.text)")
        var old = await door.send("GET", older + "/web").json
        #expect(old["spec", "targetCPUUtilizationPercentage"] == nil && old["spec", "metrics"] == nil)
        let annotations = old["metadata", "annotations"]
        let text = annotations?["autoscaling.alpha.kubernetes.io/metrics"]?.string ?? ""
        let flat = try JSONParser.parse(text)
        #expect(flat[0] == ["type": "Pods", "pods": ["metricName": "concurrency", "targetAverageValue": "3"]])
        #expect(flat[1]?["object", "metricName"] == "rps" && flat[1]?["object", "targetValue"] == "10")
        #expect(flat[1]?["object", "target"] == service && flat[2]?["object", "averageValue"] == "10")
        #expect(flat[3]?["containerResource", "targetAverageUtilization"] == 40)
        #expect(annotations?["autoscaling.alpha.kubernetes.io/behavior"] != nil)
        old["spec", "maxReplicas"] = 6
        let written = await door.send("PUT", older + "/web", old)
        #expect(written.status == 200, "\(written.text)")
        let back = await door.send("GET", newer + "/web").json
        #expect(back["spec", "metrics"] == metrics, "\(back)")
        #expect(
            back["spec", "behavior"] == behavior && back["spec", "minReplicas"] == 2 && back["spec", "maxReplicas"] == 6
        )
        #expect(back["metadata", "annotations"] == nil)
        // The status, measured values and all.
        var status = back
        status["status"] = [
            "currentReplicas": 2, "desiredReplicas": 3,
            "currentMetrics": [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "current": ["averageUtilization": 80, "averageValue": "8m"]],
                ],
                ["type": "Pods", "pods": ["metric": ["name": "concurrency"], "current": ["averageValue": "5"]]],
            ],
            "conditions": [["type": "AbleToScale", "status": "True", "reason": "R", "message": "m"]],
        ]
        let told = await door.send("PUT", newer + "/web/status", status)
        #expect(told.status == 200, "\(told.text)")
        let shown = await door.send("GET", older + "/web/status").json
        #expect(shown["status", "currentCPUUtilizationPercentage"] == 80 && shown["status", "desiredReplicas"] == 3)
        #expect(AutoscalerVersions.newer(AutoscalerVersions.older(told.json))["status"] == told.json["status"])
        await door.close()
    }

    @Test func `scaling to zero needs a metric that is there without pods`() async throws {
        let door = try await Door()
        let refused = await door.send("POST", newer, autoscaler("v2", ["minReplicas": 0]))
        #expect(
            refused.message.contains(
                "must specify at least one Object or External metric to support scaling to zero replicas"),
            "\(refused.text)")
        let older = await door.send("POST", older, autoscaler("v1", ["minReplicas": 0]))
        #expect(older.status == 422, "\(older.text)")
        let object: JSONValue = [
            "type": "Object",
            "object": [
                "describedObject": ["kind": "Service", "name": "web", "apiVersion": "v1"],
                "metric": ["name": "concurrency"], "target": ["type": "Value", "value": "1"],
            ],
        ]
        let made = await door.send("POST", newer, autoscaler("v2", ["minReplicas": 0, "metrics": [object]]))
        #expect(made.status == 201, "\(made.text)")
        await door.close()
    }

    @Test func `watchers of two versions are each told in theirs`() async throws {
        let door = try await Door()
        let old = try await door.watch(older + "?watch=true")
        let new = try await door.watch(newer + "?watch=true")
        _ = await door.send("POST", newer, autoscaler("v2", [:]))
        #expect(await old.next()?["object", "apiVersion"] == "autoscaling/v1")
        #expect(await new.next()?["object", "apiVersion"] == "autoscaling/v2")
        await door.close()
    }
}
