namespace Forerun.Cli.Running;

/// <summary>Shows what a long command is doing, on standard error: one line that is overwritten, or a line every few seconds
/// where the output is not a terminal.</summary>
internal sealed class ProgressLine
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(Console.IsErrorRedirected ? 10 : 0.1);

    private long _shown;
    private string _last = "";

    /// <summary>Tells what is going on now; the part before the first colon names the step.</summary>
    public void Show(string text)
    {
        var isNewStep = Step(text) != Step(_last);
        if (!isNewStep && TimeProvider.System.GetElapsedTime(_shown) < Pause)
        {
            return;
        }

        if (!Console.IsErrorRedirected && !isNewStep)
        {
            Console.Error.Write($"\r{text.PadRight(_last.Length)}");
        }
        else
        {
            Console.Error.Write(Console.IsErrorRedirected ? $"{text}\n" : $"\n{text}");
        }

        (_shown, _last) = (TimeProvider.System.GetTimestamp(), text);
    }

    private static string Step(string text) => text.Split(':')[0];
}
