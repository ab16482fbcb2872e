import JSON
import TestKit

/// A web server of python3 in pods, which have the machine's own /usr, and what is asked of it through an Ingress.
enum PodServer {
    /// Says its name, the request with its fields, and how much came. "/big/N" is N bytes, "/trailers" ends with a trailer, "/hop"
    /// has fields for one connection only; a WebSocket is an echo (RFC 6455), and so is port 5353 by UDP.
    static let script = #"""
        import hashlib,base64,os,socket,struct,threading
        from http.server import *
        def datagrams():
          s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("0.0.0.0",5353))
          while True: d,a=s.recvfrom(2000); s.sendto(d,a)
        threading.Thread(target=datagrams,daemon=True).start()
        class H(BaseHTTPRequestHandler):
          protocol_version="HTTP/1.1"
          def echo(self):
            key=self.headers["Sec-WebSocket-Key"]+"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101); self.send_header("Upgrade","websocket"); self.send_header("Connection","Upgrade")
            self.send_header("Sec-WebSocket-Accept",base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()); self.end_headers()
            while True:
              h=self.rfile.read(2)
              if len(h)<2: return
              op=h[0]&15; n=h[1]&127
              if n==126: n=struct.unpack(">H",self.rfile.read(2))[0]
              elif n==127: n=struct.unpack(">Q",self.rfile.read(8))[0]
              m=self.rfile.read(4); d=bytes(b^m[i%4] for i,b in enumerate(self.rfile.read(n)))
              l=bytes([n]) if n<126 else b"\x7e"+struct.pack(">H",n)
              self.wfile.write(bytes([128|op])+l+d)
              if op==8: self.close_connection=True; return
          def body(self):
            got=0; trailers=""
            if self.headers.get("Transfer-Encoding"):
              while True:
                size=int(self.rfile.readline(),16); left=size
                while left: d=self.rfile.read(min(left,65536)); left-=len(d); got+=len(d)
                if size==0: break
                self.rfile.readline()
              while True:
                l=self.rfile.readline().strip()
                if not l: break
                trailers+=" "+l.decode()
            else:
              n=int(self.headers.get("Content-Length") or 0)
              while got<n: got+=len(self.rfile.read(min(n-got,65536)))
            return "body %d%s"%(got,trailers)
          def do_GET(self):
            if self.headers.get("Upgrade")=="websocket": return self.echo()
            said=self.body()
            if self.path.startswith("/big/"):
              n=int(self.path[5:]); self.send_response(200); self.send_header("Content-Length",str(n)); self.end_headers()
              while n: k=min(n,1<<20); self.wfile.write(b"x"*k); n-=k
              return
            self.send_response(200)
            if self.path=="/trailers":
              self.send_header("Transfer-Encoding","chunked"); self.end_headers(); self.wfile.write(b"3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"); return
            if self.path=="/hop": self.send_header("Connection","X-Private"); self.send_header("X-Private","1"); self.send_header("Keep-Alive","timeout=5")
            b=("%s %s %s\n%s%s\n"%(os.environ["NAME"],self.command,self.path,self.headers,said)).encode()
            self.send_header("Content-Length",str(len(b))); self.end_headers()
            if self.command!="HEAD": self.wfile.write(b)
          do_POST=do_PUT=do_HEAD=do_GET
          def log_message(self,*a): pass
        class S(ThreadingHTTPServer): request_queue_size=256; daemon_threads=True
        S(("0.0.0.0",8080),H).serve_forever()
        """#

    /// A Deployment with its Service at port 80; `code` makes the ConfigMap that all have.
    static func manifest(_ name: String, replicas: Int = 1, annotations: String = "{}") -> String {
        """
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name), annotations: \(annotations)}
        spec:
          replicas: \(replicas)
          selector: {matchLabels: {app: \(name)}}
          template:
            metadata: {labels: {app: \(name)}}
            spec:
              terminationGracePeriodSeconds: 5
              containers:
              - name: web
                image: busybox:1
                command: [/usr/bin/python3, -u, /app/server.py]
                env: [{name: NAME, value: \(name)}, {name: ROUND, value: "1"}]
                ports: [{name: web, containerPort: 8080}]
                readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
                volumeMounts:
                - {name: usr, mountPath: /usr, readOnly: true}
                - {name: lib, mountPath: /lib, readOnly: true}
                - {name: lib64, mountPath: /lib64, readOnly: true}
                - {name: app, mountPath: /app}
              volumes:
              - {name: usr, hostPath: {path: /usr}}
              - {name: lib, hostPath: {path: /lib}}
              - {name: lib64, hostPath: {path: /lib64}}
              - {name: app, configMap: {name: server}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: \(name)}
        spec:
          selector: {app: \(name)}
          ports: [{name: http, port: 80, targetPort: web}]

        """
    }

    static func code() -> String {
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "server"], "data": ["server.py": .string(script)],
        ]
        return document(object)
    }

    /// One of several: kubectl takes a text that begins with a brace for JSON to its end.
    static func document(_ object: JSONValue) -> String { "---\n" + JSONWriter.text(object) + "\n" }

    /// An Ingress with one rule for each host: paths with type and service.
    static func ingress(_ name: String, _ hosts: [(String, [(String, String, String)])], _ more: JSONValue = [:]) -> String {
        var spec = more
        spec["rules"] = .array(
            hosts.map { host, paths in
                let paths: [JSONValue] = paths.map { path, type, service in
                    [
                        "path": .string(path), "pathType": .string(type),
                        "backend": ["service": ["name": .string(service), "port": ["name": "http"]]],
                    ]
                }
                return ["host": .string(host), "http": ["paths": .array(paths)]]
            })
        let object: JSONValue = [
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": ["name": .string(name)], "spec": spec,
        ]
        return document(object)
    }

    /// A client of its own: a WebSocket's echo, trailers, an old client, what is refused. Its arguments: port and host.
    static let client = #"""
        import base64,os,socket,struct,sys
        port,host=int(sys.argv[1]),sys.argv[2].encode()
        def ask(text,more=b""):
          c=socket.create_connection(("127.0.0.1",port),timeout=10)
          c.sendall(text.replace(b"HOST",b"Host: "+host)+more)
          out=b""
          while True:
            d=c.recv(65536)
            if not d: return out
            out+=d
        c=socket.create_connection(("127.0.0.1",port),timeout=10)
        c.sendall(b"GET /chat HTTP/1.1\r\nHost: "+host+b"\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+base64.b64encode(os.urandom(16))+b"\r\n\r\n")
        f=c.makefile("rb"); line=f.readline(); assert b" 101 " in line, line
        while f.readline().strip(): pass
        for n in (5,60000):
          d=os.urandom(n); m=os.urandom(4); l=bytes([128|n]) if n<126 else b"\xfe"+struct.pack(">H",n)
          c.sendall(b"\x82"+l+m+bytes(b^m[i%4] for i,b in enumerate(d)))
          h=f.read(2); k=h[1] if h[1]<126 else struct.unpack(">H",f.read(2))[0]
          assert h[0]==0x82 and f.read(k)==d
        c.sendall(b"\x88\x80\0\0\0\0"); assert f.read(2)==b"\x88\x00" and f.read(1)==b""
        print("websocket")
        t=ask(b"POST /up HTTP/1.1\r\nHOST\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n")
        assert b"body 3 X-Sum: 3" in t, t
        t=ask(b"GET /trailers HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n"); assert t.endswith(b"3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"), t
        print("trailers")
        t=ask(b"GET /trailers HTTP/1.0\r\nHOST\r\n\r\n"); assert t.endswith(b"\r\n\r\nabc") and b"chunked" not in t, t
        print("old")
        t=ask(b"POST /up HTTP/1.1\r\nHOST\r\nConnection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",b"abc")
        assert t.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n") and b"body 3" in t and b"Expect" not in t, t
        print("continue")
        t=ask(b"POST /up HTTP/1.1\r\nHOST\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHOST\r\n\r\n")
        assert t.startswith(b"HTTP/1.1 400 ") and b"evil" not in t and t.count(b"HTTP/1.1 ")==1, t
        print("refused")
        """#
}
