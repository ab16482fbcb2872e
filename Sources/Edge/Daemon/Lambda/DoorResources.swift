import Engine
import Functions
import HTTPServing
import Lambda
import LambdaAPI

/// What is served below /forkless/v1/ besides the Lambda API.
enum DoorResources {
    static func all(_ rung: FunctionRung, _ node: NodeSurroundings) async throws(NodeFailure) -> [any DoorExtension] {
        [PoolsResource(invoker: rung.invoker)]
    }
}

/// GET /forkless/v1/pools: all pools in numbers.
struct PoolsResource: DoorExtension {
    let invoker: FunctionInvoker

    var name: String { "pools" }

    func serve(_ request: DoorRequest) {
        guard request.method == "GET", request.exchange.request.rawPath == "/forkless/v1/pools" else {
            return request.respondUnknown()
        }
        do throws(LambdaFailure) { try request.allowQuery() } catch { return request.respond(.failure(error)) }
        request.respondJSON { () async throws(LambdaFailure) in await invoker.status().json }
    }
}
