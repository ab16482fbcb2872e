/// The operations of the node's local API.
///
/// One message is one JSON object in one SOCK_SEQPACKET datagram, descriptors beside it (SCM_RIGHTS). A body longer
/// than `MessageSocket.messageBytesLimit` travels in a sealed memory file, the last descriptor of the message, whose
/// own body then is `{"memory":LENGTH}`.
///
///     -> {"id":1,"operation":"containers.run","parameters":{...}}
///     <- {"id":1,"item":{...}}            none or several, only of operations that stream
///     <- {"id":1,"result":{...}}          the last of an exchange
///     <- {"id":1,"error":{"kind":"notFound","message":"..."}}
///     -> {"id":1,"operation":"cancel"}    takes request 1 back: it is answered with an error of kind "cancelled"
///
/// Several requests may be outstanding on one connection; their ids are the caller's choice and differ. A field that
/// the node does not know is an error that names it: no option is accepted and ignored.
package enum NodeOperation: String, Hashable, Sendable, CaseIterable {
    case nodeVersion = "node.version"
    case nodeStatus = "node.status"
    case runContainer = "containers.run"
    case createContainer = "containers.create"
    case startContainer = "containers.start"
    case waitForContainer = "containers.wait"
    case listContainers = "containers.list"
    case inspectContainer = "containers.inspect"
    case readLogs = "containers.logs"
    case stopContainer = "containers.stop"
    case killContainer = "containers.kill"
    case removeContainer = "containers.remove"
    case readStatistics = "containers.stats"
    case executeInContainer = "containers.exec"
    case resizeContainer = "containers.resize"
    case pauseContainer = "containers.pause"
    case resumeContainer = "containers.unpause"
    case renameContainer = "containers.rename"
    case updateContainer = "containers.update"
    case topContainer = "containers.top"
    case pruneContainers = "containers.prune"
    case readEvents = "events"
    case attachContainer = "containers.attach"
    case copyFromContainer = "containers.copy.out"
    case copyToContainer = "containers.copy.in"
    case executeDetached = "containers.exec.detached"
    case detachFromExecution = "containers.exec.detach"
    case findImage = "images.find"
    case createVolume = "volumes.create"
    case listVolumes = "volumes.list"
    case inspectVolume = "volumes.inspect"
    case removeVolume = "volumes.remove"
    case pruneVolumes = "volumes.prune"
    case listImages = "images.list"
    case inspectImage = "images.inspect"
    case imageHistory = "images.history"
    case tagImage = "images.tag"
    case removeImage = "images.remove"
    case pruneImages = "images.prune"
    case saveImages = "images.save"
    case loadImages = "images.load"
    case importImage = "images.import"
    case commitContainer = "containers.commit"
    case exportContainer = "containers.export"
    case containerChanges = "containers.changes"
    case diskUsage = "node.diskUsage"
    case pullImage = "images.pull"
    case pushImage = "images.push"
    case getRegistries = "registries.get"
    case checkRegistry = "registries.check"
    case buildImage = "build"
    case listBuildImages = "build.images"
    case pruneBuildCache = "build.prune"
    case createNetwork = "networks.create"
    case listNetworks = "networks.list"
    case inspectNetwork = "networks.inspect"
    case removeNetwork = "networks.remove"
    case pruneNetworks = "networks.prune"
    case connectNetwork = "networks.connect"
    case disconnectNetwork = "networks.disconnect"
    case callFunction = "functions.call"
    case listFunctions = "functions.list"
    case removeFunction = "functions.remove"
    case makeKubeconfig = "kubernetes.config"
    case openDashboard = "dashboard.open"
}

/// The parameters of one operation, typed: what may be asked, what is streamed, what is answered.
package protocol NodeRequest: NodeValue {
    /// What is streamed before the answer; `NoValue` where nothing is.
    associatedtype Item: NodeValue
    associatedtype Answer: NodeValue
    static var operation: NodeOperation { get }
}
