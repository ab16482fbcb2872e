extension KubernetesKinds {
    /// The node's own kinds: functions, and what calls them.
    static let forkless = """
        package forkless/v1 forkless.dev
        kind Function functions fn categories=forkless subresources=status
        column Name string name .metadata.name -- Name of the function.
        column Runtime string .spec.runtime -- What runs its code.
        column Memory integer .spec.memoryMB -- Memory of an instance, in MB.
        column Timeout integer .spec.timeoutSeconds -- How many seconds a call may take.
        column State string .status.state -- Whether it can be called.
        column Age date .metadata.creationTimestamp -- Since when it exists.
        column Handler string wide .spec.handler -- What is called in its code.
        column Version string wide .status.version -- The version that was published last.
        column Invocations integer wide .status.invocations -- How often it was called.
        kind EventSource eventsources es categories=forkless subresources=status
        column Name string name .metadata.name -- Name of the event source.
        column Function string .spec.functionName -- The function that is called.
        column Source string .status.sourceARN -- Where the events come from.
        column State string .status.state -- Whether events are taken.
        column Age date .metadata.creationTimestamp -- Since when it exists.

        type Function -- Code that is run when it is called.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 FunctionSpec! -- What is asked for.
            status 3 FunctionStatus -- What was observed last; written by the system.

        type FunctionSpec -- What is run, and how.
            functionName 1 string -- Name in the Lambda API; the object's name by default.
            description 2 string -- What the function is for.
            runtime 3 string -- Such as python3.13 or provided.al2023; none for an image.
            handler 4 string -- What is called in the code.
            image 5 string -- The image that the code is in, of this node; in place of zip and files.
            zip 6 bytes -- The code as a zip archive; in place of image and files.
            imageConfig 7 FunctionImageConfig? -- What goes before what the image says.
            memoryMB 8 int32 default=128 -- Memory of an instance, in MB.
            timeoutSeconds 9 int32 default=3 -- How long a call may take.
            ephemeralMB 10 int32 default=512 -- Size of /tmp, in MB.
            environment 11 {string} -- Environment variables.
            layers 12 [string] atomic -- ARNs of layers, in the order in which they are stacked.
            fileSystems 13 [FunctionFileSystem] map=target -- Directories of the machine that instances see.
            deadLetter 14 string -- ARN of where events go that could not be handled.
            logging 15 FunctionLogging? -- How logs are written.
            tracing 16 bool -- Whether calls are traced.
            reservedConcurrency 17 int32? -- The most calls at once, which are set aside for it.
            provisionedConcurrency 18 int32? -- Not for functions themselves: instances wait for calls of versions and \
                  aliases, which the Lambda API has.
            freshness 19 string -- How instances are used: reuse, fresh or concurrent:N.
            start 20 string -- How instances start: cold or zygote.
            key 21 string -- Where the key of a call is found that has one effect only.
            keyExpirySeconds 22 int32? -- How long answers of keyed calls are kept.
            order 23 string -- Where the value is found by which calls are put in order.
            deadlineHeader 24 string -- The header with the caller's deadline.
            recordPayloads 25 bool -- Whether payloads stand in the ledger, so that calls can be run again.
            input 26 FunctionInput -- What a stdio program reads.
            eventInvoke 27 FunctionEventInvoke? -- What becomes of events.
            url 28 FunctionURL? -- A URL that calls the function.
            tags 29 {string} -- Tags of the function in the Lambda API, but those that are fields here.
            files 30 {string} -- The code as texts by names of files; in place of image and zip.
        enum FunctionInput event body file

        type FunctionImageConfig -- What goes before what an image says.
            entryPoint 1 [string] atomic -- The entry point.
            command 2 [string] atomic -- Its arguments.
            workingDirectory 3 string -- The working directory.

        type FunctionFileSystem -- A directory of the machine that instances see.
            source 1 string! -- Path on the machine.
            target 2 string! -- Path in instances, below /mnt.

        type FunctionLogging -- How logs are written.
            format 1 FunctionLogFormat -- Text or JSON.
            applicationLevel 2 string -- The least level of what the function writes.
            systemLevel 3 string -- The least level of what the platform writes.
            group 4 string -- Name of the log group.
        enum FunctionLogFormat Text JSON

        type FunctionEventInvoke -- What becomes of events.
            maximumRetries 1 int32? -- How often a failed event is tried again.
            maximumAgeSeconds 2 int32? -- How old an event may become.
            onSuccess 3 string -- ARN of where results go.
            onFailure 4 string -- ARN of where failures go.

        type FunctionURL -- A URL that calls a function.
            authType 1 FunctionURLAuth -- Who may call it.
            invokeMode 2 FunctionURLMode -- Whether answers are streamed.
        enum FunctionURLAuth NONE AWS_IAM
        enum FunctionURLMode BUFFERED RESPONSE_STREAM

        type FunctionStatus -- What was observed of a function.
            observedGeneration 1 int64 -- The generation that the status was made from.
            state 2 string -- Pending, Active, Inactive or Failed.
            arn 3 string -- ARN of the function.
            version 4 string -- The version that was published last.
            codeDigest 5 string -- SHA-256 of the code, as base64.
            lastModified 6 time? -- When it was changed last.
            invocations 7 int64 -- How often it was called.
            url 8 string -- The URL that calls it.
            reason 9 string -- A short cause in one word, for programs.
            message 10 string -- What happened, for people.
            conditions 11 [Condition] map=type merge=type -- What is known about the state, one entry for each \
                  type of condition.

        type EventSource -- A source whose events call a function.
            metadata 1 ObjectMeta -- Standard metadata of the object.
            spec 2 EventSourceSpec! -- What is asked for.
            status 3 EventSourceStatus -- What was observed last; written by the system.

        type EventSourceSpec -- Which events call which function; one of queue, schedule and directory.
            functionName 1 string! -- The function, with a version or alias behind a colon if one likes.
            queue 2 QueueSource? -- Messages of a queue.
            schedule 3 ScheduleSource? -- Times.
            directory 4 DirectorySource? -- Files that arrive.
            disabled 5 bool -- Whether it is held back for now.
            batchSize 6 int32? -- The most events of a call.
            windowSeconds 7 int32? -- How long events are gathered.
            maximumConcurrency 8 int32? -- The most calls at once.
            reportItemFailures 9 bool -- Whether the function says which events of a call have failed.
            filters 10 [string] atomic -- Patterns, as JSON, of which one must fit an event.
            maximumRetries 11 int32? -- How often a failed event is tried again.
            maximumAgeSeconds 12 int32? -- How old an event may become.
            onFailure 13 string -- ARN of where failures go.

        type QueueSource -- Messages of a queue.
            name 1 string! -- Name of the queue.

        type ScheduleSource -- Times.
            expression 1 string! -- Such as rate(5 minutes) or cron(0 6 * * ? *).
            missed 2 ScheduleMissed -- What becomes of times at which the node was down.
            overlap 3 ScheduleOverlap -- Whether a call may begin before the last has ended.
        enum ScheduleMissed skip once all
        enum ScheduleOverlap allow forbid

        type DirectorySource -- Files that arrive in a directory.
            path 1 string! -- Path on the machine.
            pattern 2 string -- Which names, such as *.xml.
            after 3 string -- What becomes of a file: keep, delete or move:/DIRECTORY.

        type EventSourceStatus -- What was observed of an event source.
            observedGeneration 1 int64 -- The generation that the status was made from.
            state 2 string -- Creating, Enabled, Disabled or Failed.
            id 3 string -- Identity of the mapping in the Lambda API.
            sourceARN 4 string -- ARN of the source.
            functionARN 5 string -- ARN of the function.
            reason 6 string -- A short cause in one word, for programs.
            message 7 string -- What happened, for people.
            conditions 8 [Condition] map=type merge=type -- What is known about the state, one entry for each \
                  type of condition.
        """
}
