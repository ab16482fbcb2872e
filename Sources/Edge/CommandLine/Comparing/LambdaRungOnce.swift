import Comparison
import Deploying
import Lambda

// Functions that are there for one call.
extension LambdaRung {
    /// Deploys a function, calls it once and deletes it, however that ends, also when it is taken back meanwhile.
    ///
    /// - Parameter deployment: makes the function of this name.
    func once(
        _ function: String, _ input: [UInt8], _ limit: Int,
        deployment: @escaping @Sendable () async throws(ComparisonError) -> Void
    ) async throws(ComparisonError) -> CallSample {
        // A deployment goes on to its end, also for nothing: a deletion that overtook it would leave the function.
        let deployed = await Task { () -> Result<Void, ComparisonError> in
            do throws(ComparisonError) {
                try await deployment()
                return .success(())
            } catch { return .failure(error) }
        }.value
        do throws(ComparisonError) {
            try deployed.get()
            if Task.isCancelled { throw ComparisonError("interrupted") }
            let sample = try await invoke(input, LambdaPaths.function(function, "/invocations"), limit)
            try await ask(LambdaRequest("DELETE", LambdaPaths.function(function)))
            return sample
        } catch {
            await Task { _ = try? await ask(LambdaRequest("DELETE", LambdaPaths.function(function))) }.value
            throw error
        }
    }
}
