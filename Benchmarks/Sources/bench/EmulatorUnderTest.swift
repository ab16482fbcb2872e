import CBaselines
import Foundation

/// AWS's own runtime interface emulator with one function.
///
/// It ends by a panic when two calls come at once, so it is measured with one connection.
final class EmulatorUnderTest {
    let url: String
    private let process: ServerProcess

    init(_ options: BenchOptions, bootstrap: String, directory: String) throws {
        let emulator = "\(options.examples)/aws-lambda-rie"
        _ = try Command.output(["sh", "\(options.examples)/../../Benchmarks/Programs/get-emulator.sh", emulator])
        let (door, runtime) = (try FunctionsUnderTest.freePort(), try FunctionsUnderTest.freePort())
        url = "http://127.0.0.1:\(door)/2015-03-31/functions/function/invocations"
        process = try ServerProcess(
            "aws-lambda-rie",
            [
                emulator, "--log-level", "error", "--runtime-interface-emulator-address", "127.0.0.1:\(door)",
                "--runtime-api-address", "127.0.0.1:\(runtime)", bootstrap, "handler",
            ],
            log: "\(directory)/emulator.log")
        try process.untilServing(["curl", "-sS", "--fail", "-X", "POST", "-d", "{}", url])
    }

    func stop() { process.stop() }
}

/// nginx in front of fcgiwrap, which forks and execs a CGI program for every request: the old way, from Debian.
final class GatewayUnderTest {
    let url: String
    private let wrapper: ServerProcess
    private let nginx: ServerProcess

    init(_ options: BenchOptions, directory: String) throws {
        let port = try FunctionsUnderTest.freePort()
        let program = "\(options.examples)/cgi-echo"
        url = "http://127.0.0.1:\(port)/"
        let configuration = """
            daemon off; pid \(directory)/nginx.pid; error_log \(directory)/nginx.log; worker_processes 2;
            events { worker_connections 256; }
            http {
                access_log off; client_body_temp_path \(directory)/body; fastcgi_temp_path \(directory)/fastcgi;
                proxy_temp_path \(directory)/proxy; uwsgi_temp_path \(directory)/uwsgi; scgi_temp_path \(directory)/scgi;
                keepalive_requests 1000000;
                server {
                    listen 127.0.0.1:\(port);
                    location / {
                        fastcgi_pass unix:\(directory)/fcgi.sock;
                        fastcgi_param SCRIPT_FILENAME \(program);
                        fastcgi_param REQUEST_METHOD $request_method;
                        fastcgi_param CONTENT_LENGTH $content_length;
                    }
                }
            }
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: "\(directory)/nginx.conf"))
        wrapper = try ServerProcess(
            "fcgiwrap", ["/usr/sbin/fcgiwrap", "-c", "16", "-s", "unix:\(directory)/fcgi.sock"],
            log: "\(directory)/fcgiwrap.log")
        for _ in 0..<100 where !FileManager.default.fileExists(atPath: "\(directory)/fcgi.sock") { usleep(20_000) }
        // Its workers are other users.
        chmod("\(directory)/fcgi.sock", 0o666)
        chmod(directory, 0o755)
        nginx = try ServerProcess(
            "nginx", ["/usr/sbin/nginx", "-c", "\(directory)/nginx.conf"], log: "\(directory)/nginx.log")
        try nginx.untilServing(["curl", "-sS", "--fail", "-X", "POST", "-d", "{}", url])
    }

    func stop() {
        nginx.stop()
        wrapper.stop()
    }
}
