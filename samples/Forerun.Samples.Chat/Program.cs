// A question to the target, drafted on this machine. Start "forerun serve", then run this from the repository's root:
//   dotnet run -c Release --project samples/Forerun.Samples.Chat -- "Why is the sky blue?"
using Forerun.Edge;
using Microsoft.Extensions.AI;

var server = new Uri("http://127.0.0.1:5141");
using var edge = ForerunEdge.Load(new() { Server = server, DraftModelPath = "models/forerun-draft/forerun-draft.gguf" });
using IChatClient client = new ForerunChatClient(edge.Generator);
await foreach (var update in client.GetStreamingResponseAsync(args[0], new() { MaxOutputTokens = 100 }))
{
    Console.Write(update);
}
