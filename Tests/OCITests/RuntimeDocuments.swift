import JSON
import OCI

/// Documents of the runtime specification for the tests here.
enum RuntimeDocuments {
    /// A config.json with every field that there is, each with a value of its own.
    static let full = try! JSONParser.parse(
        #"""
        {
         "ociVersion": "1.3.0",
         "hostname": "box",
         "domainname": "example.org",
         "annotations": {
          "a": "1"
         },
         "root": {
          "path": "rootfs",
          "readonly": true
         },
         "process": {
          "terminal": true,
          "consoleSize": {
           "height": 25,
           "width": 80
          },
          "user": {
           "uid": 1,
           "gid": 2,
           "umask": 63,
           "additionalGids": [
            5
           ]
          },
          "args": [
           "sh",
           "-c"
          ],
          "env": [
           "PATH=/bin"
          ],
          "cwd": "/srv",
          "capabilities": {
           "bounding": [
            "CAP_KILL"
           ],
           "effective": [
            "CAP_KILL"
           ],
           "inheritable": [
            "CAP_KILL"
           ],
           "permitted": [
            "CAP_KILL"
           ],
           "ambient": [
            "CAP_KILL"
           ]
          },
          "rlimits": [
           {
            "type": "RLIMIT_NOFILE",
            "soft": 10,
            "hard": 18446744073709551615
           }
          ],
          "noNewPrivileges": true,
          "apparmorProfile": "p",
          "selinuxLabel": "l",
          "oomScoreAdj": 100,
          "scheduler": {
           "policy": "SCHED_DEADLINE",
           "nice": 1,
           "priority": 3,
           "flags": [
            "SCHED_FLAG_RECLAIM"
           ],
           "runtime": 10,
           "deadline": 20,
           "period": 30
          },
          "ioPriority": {
           "class": "IOPRIO_CLASS_BE",
           "priority": 4
          },
          "execCPUAffinity": {
           "initial": "0",
           "final": "0-1"
          }
         },
         "mounts": [
          {
           "destination": "/data",
           "type": "none",
           "source": "/src",
           "options": [
            "rbind",
            "idmap"
           ],
           "uidMappings": [
            {
             "containerID": 3,
             "hostID": 1000,
             "size": 1000
            }
           ],
           "gidMappings": [
            {
             "containerID": 3,
             "hostID": 1000,
             "size": 1000
            }
           ]
          }
         ],
         "hooks": {
          "prestart": [
           {
            "path": "/bin/prestart",
            "args": [
             "prestart"
            ],
            "env": [
             "A=b"
            ],
            "timeout": 5
           }
          ],
          "createRuntime": [
           {
            "path": "/bin/createRuntime",
            "args": [
             "createRuntime"
            ],
            "env": [
             "A=b"
            ],
            "timeout": 5
           }
          ],
          "createContainer": [
           {
            "path": "/bin/createContainer",
            "args": [
             "createContainer"
            ],
            "env": [
             "A=b"
            ],
            "timeout": 5
           }
          ],
          "startContainer": [
           {
            "path": "/bin/startContainer",
            "args": [
             "startContainer"
            ],
            "env": [
             "A=b"
            ],
            "timeout": 5
           }
          ],
          "poststart": [
           {
            "path": "/bin/poststart",
            "args": [
             "poststart"
            ],
            "env": [
             "A=b"
            ],
            "timeout": 5
           }
          ],
          "poststop": [
           {
            "path": "/bin/poststop",
            "args": [
             "poststop"
            ],
            "env": [
             "A=b"
            ],
            "timeout": 5
           }
          ]
         },
         "linux": {
          "namespaces": [
           {
            "type": "mount"
           },
           {
            "type": "network",
            "path": "/run/netns/a"
           },
           {
            "type": "user"
           },
           {
            "type": "time"
           },
           {
            "type": "uts"
           },
           {
            "type": "ipc"
           },
           {
            "type": "pid"
           },
           {
            "type": "cgroup"
           }
          ],
          "uidMappings": [
           {
            "containerID": 1,
            "hostID": 1000,
            "size": 1000
           }
          ],
          "gidMappings": [
           {
            "containerID": 1,
            "hostID": 1000,
            "size": 1000
           }
          ],
          "timeOffsets": {
           "monotonic": {
            "secs": 7,
            "nanosecs": 8
           },
           "boottime": {
            "secs": 7,
            "nanosecs": 8
           }
          },
          "devices": [
           {
            "type": "c",
            "path": "/dev/fuse",
            "major": 10,
            "minor": 229,
            "fileMode": 438,
            "uid": 1,
            "gid": 1
           }
          ],
          "netDevices": {
           "eth9": {
            "name": "c0"
           }
          },
          "cgroupsPath": "/a/b",
          "resources": {
           "devices": [
            {
             "allow": true,
             "type": "c",
             "major": 10,
             "minor": 229,
             "access": "rwm"
            }
           ],
           "memory": {
            "limit": 100,
            "reservation": 101,
            "swap": 102,
            "kernel": 103,
            "kernelTCP": 104,
            "swappiness": 5,
            "disableOOMKiller": true,
            "useHierarchy": true,
            "checkBeforeUpdate": true
           },
           "cpu": {
            "shares": 1024,
            "quota": 50000,
            "burst": 10000,
            "period": 100000,
            "realtimeRuntime": 950,
            "realtimePeriod": 1000,
            "cpus": "0-1",
            "mems": "0",
            "idle": 1
           },
           "pids": {
            "limit": 32
           },
           "blockIO": {
            "weight": 10,
            "leafWeight": 20,
            "weightDevice": [
             {
              "major": 8,
              "minor": 1,
              "weight": 500,
              "leafWeight": 300
             }
            ],
            "throttleReadBpsDevice": [
             {
              "major": 8,
              "minor": 1,
              "rate": 600
             }
            ],
            "throttleWriteBpsDevice": [
             {
              "major": 8,
              "minor": 1,
              "rate": 600
             }
            ],
            "throttleReadIOPSDevice": [
             {
              "major": 8,
              "minor": 1,
              "rate": 600
             }
            ],
            "throttleWriteIOPSDevice": [
             {
              "major": 8,
              "minor": 1,
              "rate": 600
             }
            ]
           },
           "hugepageLimits": [
            {
             "pageSize": "2MB",
             "limit": 9
            }
           ],
           "network": {
            "classID": 1048577,
            "priorities": [
             {
              "name": "eth0",
              "priority": 500
             }
            ]
           },
           "rdma": {
            "mlx5_1": {
             "hcaHandles": 3,
             "hcaObjects": 4
            }
           },
           "unified": {
            "memory.high": "5"
           }
          },
          "intelRdt": {
           "closID": "g",
           "schemata": [
            "L3:0=7"
           ],
           "l3CacheSchema": "L3:0=f",
           "memBwSchema": "MB:0=20",
           "enableMonitoring": true
          },
          "memoryPolicy": {
           "mode": "MPOL_BIND",
           "nodes": "0",
           "flags": [
            "MPOL_F_STATIC_NODES"
           ]
          },
          "sysctl": {
           "net.ipv4.ip_forward": "1"
          },
          "seccomp": {
           "defaultAction": "SCMP_ACT_ERRNO",
           "defaultErrnoRet": 38,
           "architectures": [
            "SCMP_ARCH_X86"
           ],
           "flags": [
            "SECCOMP_FILTER_FLAG_LOG"
           ],
           "listenerPath": "/run/s",
           "listenerMetadata": "m",
           "syscalls": [
            {
             "names": [
              "read"
             ],
             "action": "SCMP_ACT_ERRNO",
             "errnoRet": 1,
             "args": [
              {
               "index": 1,
               "value": 2,
               "valueTwo": 3,
               "op": "SCMP_CMP_MASKED_EQ"
              }
             ]
            }
           ]
          },
          "rootfsPropagation": "rslave",
          "maskedPaths": [
           "/proc/kcore"
          ],
          "readonlyPaths": [
           "/proc/sys"
          ],
          "mountLabel": "ml",
          "personality": {
           "domain": "LINUX32",
           "flags": []
          }
         }
        }
        """#)

    /// The least that can be run.
    static let least: JSONValue = [
        "ociVersion": "1.0.2",
        "process": ["user": ["uid": 0, "gid": 0], "args": ["/bin/true"], "cwd": "/"],
        "root": ["path": "rootfs"],
        "linux": ["namespaces": [["type": "mount"]]],
    ]

    static func spec(_ json: JSONValue, _ change: (inout JSONValue) -> Void = { _ in }) throws(DocumentError) -> RuntimeSpec {
        try RuntimeSpec(Documents.bytes(json, change))
    }
}
