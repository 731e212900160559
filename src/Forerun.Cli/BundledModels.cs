namespace Forerun.Cli;

/// <summary>Finds the models that come with Forerun: in a folder <c>models</c> beside the program, or beside any folder
/// above it.</summary>
internal static class BundledModels
{
    private const string TargetPath = "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";
    private const string DraftPath = "forerun-draft/forerun-draft.gguf";

    /// <summary>The path given, or the bundled target's.</summary>
    public static string Target(string? path) => path ?? Find(TargetPath, "--model");

    /// <summary>The path given, or the bundled draft model's.</summary>
    public static string Draft(string? path) => path ?? Find(DraftPath, "--draft-model");

    /// <summary>The path given, or that of the bundled target, for its tokenizer.</summary>
    public static string Tokenizer(string? path) => path ?? Find(TargetPath, "--tokenizer");

    private static string Find(string relative, string option) =>
        BundledFiles.Find(Path.Combine("models", relative)) ?? throw new FileNotFoundException(
            $"The bundled model \"models/{relative}\" is not beside the program or above it. Name a file with {option}.");
}
