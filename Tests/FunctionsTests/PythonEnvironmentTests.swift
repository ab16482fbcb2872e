import Linux
import TestKit
import Testing

/// The Python that tests share.
@Suite struct PythonEnvironmentTests {
    @Test func `the Python of tests has AWS's runtime client, its SDK and its command line`() async throws {
        let environment = try await PythonEnvironment.shared()
        let imported = try await CommandRunner.run([
            environment.python, "-c", "import awslambdaric, boto3, numpy, sys; print('%d.%d' % sys.version_info[:2])",
        ])
        #expect(imported.text == environment.version + "\n", "\(imported.errorText)")
        let aws = try await CommandRunner.run([environment.aws, "--version"])
        #expect(aws.text.hasPrefix("aws-cli/"), "\(aws.errorText)")
        #expect(Files.exists(environment.runtimes + "/" + environment.runtime + "/awslambdaric/bootstrap.py"))
        #expect(Files.exists(environment.command("cbpr-validate")))
    }
}
