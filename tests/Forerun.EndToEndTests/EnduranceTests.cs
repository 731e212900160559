using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>Nothing else runs beside these: they look at the whole process.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>Many prompts in a row leave nothing behind, on the server and on the edge: both are in this process.</summary>
[Collection("Alone")]
public class EnduranceTests
{
    private const int KvPages = 24;
    private const long HeapSlack = 2_000_000;

    // The thread pool may still grow, and its threads have handles; one left behind per prompt would be 200.
    private const int HandleSlack = 20;

    [Fact]
    public async Task TwoHundredPrompts_MemoryAndHandlesStayAsTheyAre()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q8_0");
        using var draft = TinyModels.Load("smollm-gqa-tied-q4_0");
        var options = new SchedulerOptions { KvMemory = KvPages * 64 * target.KvBytesPerPosition };
        await using (var server = await ForerunServer.StartAsync(
            target, new() { Urls = ["http://127.0.0.1:0"], DraftModel = draft, Scheduler = options }, Deadline.Token))
        {
            // The edge has its own copy: its branches are not the server's memory.
            using var edgeModel = TinyModels.Load("smollm-gqa-tied-q4_0");
            using var drafter = new ModelDrafter(edgeModel);
            await RunAsync(server, drafter, first: 0, count: 60);
            var (heap, handles) = Look();
            await RunAsync(server, drafter, first: 60, count: 200);
            var (heapAfter, handlesAfter) = Look();
            Assert.InRange(heapAfter, 0, heap + HeapSlack);
            Assert.InRange(handlesAfter, 0, handles + HandleSlack);
            Assert.InRange(target.KvBytesInUse, 1, options.KvMemory);
        }

        // The drafter went with its cache, the server with the kept ones.
        Assert.Equal((0, 0), (target.KvBytesInUse, draft.KvBytesInUse));
    }

    private static async Task RunAsync(ForerunServer server, ModelDrafter drafter, int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            var random = new Random(i);
            var request = new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, 90).Select(_ => random.Next(20, 600))],
                MaxTokens = 12,
                Mode = (DecodingMode)(i % (int)DecodingMode.EdgeOnly),
            };

            // A connection of its own for each prompt: connections must not be left behind either.
            using var verifier = ServerFixture.Connect(server.Addresses[0]);
            await ServerFixture.CompleteAsync(verifier, request, drafter);
        }

        await ServerFixture.AssertNoSessionsAsync(server);
    }

    private static (long Heap, int Handles) Look()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var heap = GC.GetTotalMemory(forceFullCollection: true);
        return (heap, OperatingSystem.IsLinux() ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0);
    }
}
