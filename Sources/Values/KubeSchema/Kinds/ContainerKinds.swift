extension KubernetesKinds {
    /// Containers, and what is set for each.
    static let container = """
        package core/v1

        type Container -- A program of a pod, with what it needs to run.
            name 1 string! -- Name of the container, a DNS label that no other in the pod has.
            image 2 string -- Name of the image.
            command 3 [string] atomic -- The program, in place of the image's entrypoint; no shell.
            args 4 [string] atomic -- Arguments, in place of the image's command.
            workingDir 5 string -- Working directory; the image's when empty.
            ports 6 [ContainerPort] map=containerPort,protocol merge=containerPort -- Ports that the container \
                  serves; what is not listed is open too.
            envFrom 19 [EnvFromSource] atomic -- Config maps and secrets whose keys become environment variables.
            env 7 [EnvVar] map=name merge=name -- Environment variables.
            resources 8 ResourceRequirements -- What is requested, and what limits hold.
            resizePolicy 23 [ContainerResizePolicy] atomic -- Whether a change of resources restarts the container.
            restartPolicy 24 string? -- Always makes an init container a sidecar.
            restartPolicyRules 25 [ContainerRestartRule] atomic -- What to do for which exit codes, before the \
                  restart policy is asked.
            volumeMounts 9 [VolumeMount] map=mountPath merge=mountPath -- Volumes, and where they appear.
            volumeDevices 21 [VolumeDevice] map=devicePath merge=devicePath -- Block devices, and where they appear.
            livenessProbe 10 Probe? -- When it fails the container is restarted.
            readinessProbe 11 Probe? -- While it fails the container gets no traffic.
            startupProbe 22 Probe? -- Until it succeeds the other probes wait.
            lifecycle 12 Lifecycle? -- What is done after the start and before the stop.
            terminationMessagePath 13 string -- File whose content becomes the termination message.
            terminationMessagePolicy 20 TerminationMessagePolicy -- Where the termination message comes from.
            imagePullPolicy 14 PullPolicy -- When the image is fetched: Always by default for the tag latest, \
                  otherwise IfNotPresent.
            securityContext 15 SecurityContext? -- What the program may do; goes before the pod's.
            stdin 16 bool -- Whether standard input stays open for attach.
            stdinOnce 17 bool -- Whether standard input is closed after the first attached client has left.
            tty 18 bool -- Whether the program gets a terminal.

        type EphemeralContainer -- A container that is added to a running pod for debugging.
            ephemeralContainerCommon 1 inline EphemeralContainerCommon
            targetContainerName 2 string -- The container whose namespaces it joins.

        type EphemeralContainerCommon -- What an ephemeral container has in common with others.
            name 1 string! -- Name of the container, a DNS label that no other in the pod has.
            image 2 string -- Name of the image.
            command 3 [string] atomic -- The program, in place of the image's entrypoint; no shell.
            args 4 [string] atomic -- Arguments, in place of the image's command.
            workingDir 5 string -- Working directory; the image's when empty.
            ports 6 [ContainerPort] map=containerPort,protocol merge=containerPort -- Not allowed here.
            envFrom 19 [EnvFromSource] atomic -- Config maps and secrets whose keys become environment variables.
            env 7 [EnvVar] map=name merge=name -- Environment variables.
            resources 8 ResourceRequirements -- Not allowed here.
            resizePolicy 23 [ContainerResizePolicy] atomic -- Not allowed here.
            restartPolicy 24 string? -- Not allowed here.
            restartPolicyRules 25 [ContainerRestartRule] atomic -- Not allowed here.
            volumeMounts 9 [VolumeMount] map=mountPath merge=mountPath -- Volumes, and where they appear.
            volumeDevices 21 [VolumeDevice] map=devicePath merge=devicePath -- Block devices, and where they appear.
            livenessProbe 10 Probe? -- Not allowed here.
            readinessProbe 11 Probe? -- Not allowed here.
            startupProbe 22 Probe? -- Not allowed here.
            lifecycle 12 Lifecycle? -- Not allowed here.
            terminationMessagePath 13 string -- File whose content becomes the termination message.
            terminationMessagePolicy 20 TerminationMessagePolicy -- Where the termination message comes from.
            imagePullPolicy 14 PullPolicy -- When the image is fetched.
            securityContext 15 SecurityContext? -- What the program may do; goes before the pod's.
            stdin 16 bool -- Whether standard input stays open for attach.
            stdinOnce 17 bool -- Whether standard input is closed after the first attached client has left.
            tty 18 bool -- Whether the program gets a terminal.
        enum PullPolicy Always Never IfNotPresent
        enum TerminationMessagePolicy File FallbackToLogsOnError

        type ContainerPort -- A port that a container serves.
            name 1 string -- Name of the port, which services may use.
            hostPort 2 int32 -- Port of the node that leads here.
            containerPort 3 int32! -- Port in the pod.
            protocol 4 Protocol default=TCP -- TCP, UDP or SCTP.
            hostIP 5 string -- Address of the node that the port is bound to.
        enum Protocol TCP UDP SCTP

        type EnvFromSource -- A config map or secret whose keys become environment variables.
            prefix 1 string -- What is put before each key.
            configMapRef 2 ConfigMapEnvSource? -- The config map.
            secretRef 3 SecretEnvSource? -- The secret.

        type ConfigMapEnvSource -- A config map whose keys become environment variables.
            localObjectReference 1 inline LocalObjectReference
            optional 2 bool? -- Whether the object, or the key in it, may be missing.

        type SecretEnvSource -- A secret whose keys become environment variables.
            localObjectReference 1 inline LocalObjectReference
            optional 2 bool? -- Whether the object, or the key in it, may be missing.

        type EnvVar -- An environment variable.
            name 1 string! -- Name of the variable.
            value 2 string -- The value, in which $(NAME) stands for variables defined before.
            valueFrom 3 EnvVarSource? -- Where the value comes from.

        type EnvVarSource -- Where the value of a variable comes from; one of these.
            fieldRef 1 ObjectFieldSelector? -- A field of the pod.
            resourceFieldRef 2 ResourceFieldSelector? -- A request or limit of a container.
            configMapKeyRef 3 ConfigMapKeySelector? -- A key of a config map.
            secretKeyRef 4 SecretKeySelector? -- A key of a secret.
            fileKeyRef 5 FileKeySelector? -- A key of a file in a volume.

        type ObjectFieldSelector atomic -- A field of the pod.
            apiVersion 1 string -- Version that the path is written for; v1 by default.
            fieldPath 2 string! -- Path of the field, such as metadata.name.

        type ResourceFieldSelector atomic -- A request or limit of a container.
            containerName 1 string -- Name of the container; needed in volumes.
            resource 2 string! -- Which one, such as limits.cpu.
            divisor 3 quantity -- The unit that the value is written in; 1 by default.

        type ConfigMapKeySelector atomic -- A key of a config map.
            localObjectReference 1 inline LocalObjectReference
            key 2 string! -- The key that is meant.
            optional 3 bool? -- Whether the object, or the key in it, may be missing.

        type SecretKeySelector atomic -- A key of a secret.
            localObjectReference 1 inline LocalObjectReference
            key 2 string! -- The key that is meant.
            optional 3 bool? -- Whether the object, or the key in it, may be missing.

        type FileKeySelector atomic -- A key of a file in a volume.
            volumeName 1 string! -- Name of the volume.
            path 2 string! -- Path of the file in the volume.
            key 3 string! -- The key that is meant.
            optional 4 bool? -- Whether the object, or the key in it, may be missing.

        type ResourceRequirements -- What is requested, and what limits hold.
            limits 1 {quantity} -- The most that may be used, by resource.
            requests 2 {quantity} -- What is set aside, by resource.
            claims 3 [ResourceClaim] map=name -- Names of resource claims of the pod that the container uses.

        type ResourceClaim -- A claim of the pod that a container uses.
            name 1 string! -- Name of the claim in the pod.
            request 2 string -- Which request of the claim; all when empty.

        type ContainerResizePolicy -- Whether a change of a resource restarts the container.
            resourceName 1 string! -- The resource.
            restartPolicy 2 string! -- NotRequired or RestartContainer.

        type ContainerRestartRule -- What to do when a container ended in some way.
            action 1 string -- Restart; RestartAllContainers is not supported here.
            exitCodes 2 ContainerRestartRuleOnExitCodes? -- For which exit codes.

        type ContainerRestartRuleOnExitCodes -- Exit codes that a rule is for.
            operator 1 string -- How the key is compared with the values.
            values 2 [int32] set -- What the key is compared with.

        type VolumeMount -- A volume, and where it appears in a container.
            name 1 string! -- Name of the volume.
            readOnly 2 bool -- Mounts the volume read-only.
            recursiveReadOnly 7 string? -- Whether mounts below are read-only too.
            mountPath 3 string! -- Path in the container.
            subPath 4 string -- Path in the volume that is mounted; the volume itself when empty.
            mountPropagation 5 MountPropagationMode? -- Whether later mounts are seen on the other side.
            subPathExpr 6 string -- Like subPath, with $(NAME) for environment variables.
        enum MountPropagationMode None HostToContainer Bidirectional

        type VolumeDevice -- A block device, and where it appears in a container.
            name 1 string! -- Name of a claim of the pod.
            devicePath 2 string! -- Path in the container.

        type Probe -- A check of a container.
            handler 1 inline ProbeHandler
            initialDelaySeconds 2 int32 -- How long after the start the first check waits.
            timeoutSeconds 3 int32 -- How long a check may take; 1 by default.
            periodSeconds 4 int32 -- How long from one check to the next; 10 by default.
            successThreshold 5 int32 -- How many successes in a row make it succeed.
            failureThreshold 6 int32 -- How many failures in a row make it fail; 3 by default.
            terminationGracePeriodSeconds 7 int64? -- Grace period of a container that the probe stops.

        type ProbeHandler -- How a container is checked; one of these.
            exec 1 ExecAction? -- Runs a command in the container.
            httpGet 2 HTTPGetAction? -- Sends an HTTP GET request.
            tcpSocket 3 TCPSocketAction? -- Opens a TCP connection.
            grpc 4 GRPCAction? -- Asks the gRPC health service.

        type ExecAction -- A command that is run in the container.
            command 1 [string] atomic -- The command and its arguments; no shell.

        type HTTPGetAction -- An HTTP GET request.
            path 1 string -- Path of the request.
            port 2 intOrString! -- A port, by number or by name.
            host 3 string -- Host to connect to, and for the Host header; the pod's address when empty.
            scheme 4 URIScheme -- HTTP or HTTPS.
            httpHeaders 5 [HTTPHeader] atomic -- Headers of the request.
        enum URIScheme HTTP HTTPS

        type HTTPHeader -- A header of a request.
            name 1 string! -- Name of the header.
            value 2 string! -- The value.

        type TCPSocketAction -- A TCP connection.
            port 1 intOrString! -- A port, by number or by name.
            host 2 string -- Host to connect to; the pod's address when empty.

        type GRPCAction -- A call of the gRPC health service.
            port 1 int32! -- Number of the port.
            service 2 string? -- The service that is asked about.

        type Lifecycle -- What is done after the start and before the stop of a container.
            postStart 1 LifecycleHandler? -- Done right after the start; a failure stops the container.
            preStop 2 LifecycleHandler? -- Done before SIGTERM, within the grace period.
            stopSignal 3 Signal? -- The signal that stops the container; the image's or SIGTERM when empty.

        type LifecycleHandler -- What is done; one of these.
            exec 1 ExecAction? -- Runs a command in the container.
            httpGet 2 HTTPGetAction? -- Sends an HTTP GET request.
            tcpSocket 3 TCPSocketAction? -- No longer in use.
            sleep 4 SleepAction? -- Waits.

        type SleepAction -- A wait.
            seconds 1 int64! -- How many seconds.
        enum Signal SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT \
              SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP \
              SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMIN \
              SIGRTMIN+1 SIGRTMIN+2 SIGRTMIN+3 SIGRTMIN+4 SIGRTMIN+5 SIGRTMIN+6 SIGRTMIN+7 SIGRTMIN+8 SIGRTMIN+9 \
              SIGRTMIN+10 SIGRTMIN+11 SIGRTMIN+12 SIGRTMIN+13 SIGRTMIN+14 SIGRTMIN+15 SIGRTMAX-14 SIGRTMAX-13 \
              SIGRTMAX-12 SIGRTMAX-11 SIGRTMAX-10 SIGRTMAX-9 SIGRTMAX-8 SIGRTMAX-7 SIGRTMAX-6 SIGRTMAX-5 \
              SIGRTMAX-4 SIGRTMAX-3 SIGRTMAX-2 SIGRTMAX-1 SIGRTMAX

        type SecurityContext -- What a program may do.
            capabilities 1 Capabilities? -- Capabilities that are added and dropped.
            privileged 2 bool? -- May do what root on the node may.
            seLinuxOptions 3 SELinuxOptions? -- Labels of SELinux.
            windowsOptions 10 WindowsSecurityContextOptions? -- Settings of Windows; without effect on Linux.
            runAsUser 4 int64? -- User that programs run as; the image's when empty.
            runAsGroup 8 int64? -- Group that programs run as; the image's when empty.
            runAsNonRoot 5 bool? -- Refuses to start as user 0.
            readOnlyRootFilesystem 6 bool? -- Whether the root file system is read-only.
            allowPrivilegeEscalation 7 bool? -- Whether a program may gain more rights than its parent \
                  (no_new_privs).
            procMount 9 ProcMountType? -- Whether parts of /proc are hidden.
            seccompProfile 11 SeccompProfile? -- Filter of system calls.
            appArmorProfile 12 AppArmorProfile? -- Profile of AppArmor.

        type Capabilities -- Capabilities that are added and dropped.
            add 1 [string] atomic -- Capabilities that are added, without CAP_.
            drop 2 [string] atomic -- Capabilities that are dropped; ALL for every one.
        enum ProcMountType Default Unmasked
        """
}
